/* A program that receives and encodes, and does nothing else: what it contains is what the core costs. */
#include "fl_frame.h"

fl_receiver receiver;
uint8_t output[FL_FRAME_MAX];
volatile uint8_t line;

static void use(const fl_frame *frame)
{
    fl_size size = fl_encode(output, sizeof output, frame->addr, frame->cmd, frame->data, frame->size);
    for (fl_size at = 0; at < size; at++)
        line = output[at];
    line = (uint8_t)fl_seal(output, line, line, line);
}

int main(void)
{
    const fl_frame *frame;
    fl_receiver_init(&receiver);
    for (;;) {
        for (frame = fl_receiver_push(&receiver, line); frame != NULL; frame = fl_receiver_next(&receiver))
            use(frame);
        while ((frame = fl_receiver_idle(&receiver)) != NULL)
            use(frame);
    }
}
