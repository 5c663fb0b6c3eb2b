/* A firmware that lets a test look into the core on the chip itself: it receives and encodes on request.
 *
 * Each request is a letter and its arguments, numbers low byte first:
 *
 *   R                        begin anew                      → R
 *   P count bytes            push so many bytes              → for each: its frames, then S and the state
 *   I                        the line is silent              → the frames, then S and the state
 *   L                        the ledger                      → L and nine numbers of 4 bytes
 *   E addr cmd size16 data   encode                          → E size16 bytes
 *
 * A frame is F addr cmd size16 data.  What is no request is answered with a question mark.
 */
#include "../boards/port.h"
#include "fl_frame.h"

static fl_receiver receiver;
static uint8_t output[FL_FRAME_MAX];

static uint8_t next_byte(void)
{
    int byte = -1;
    while (byte < 0)
        byte = port_read();
    return (uint8_t)byte;
}

static uint16_t next_number(void)
{
    uint8_t low = next_byte();
    return (uint16_t)(low | next_byte() << 8);
}

static void say(uint8_t byte)
{
    port_write(&byte, 1);
}

static void say_number(uint32_t number, uint8_t size)
{
    for (; size > 0; size--, number >>= 8)
        say((uint8_t)number);
}

static void say_frame(const fl_frame *frame)
{
    say('F');
    say(frame->addr);
    say(frame->cmd);
    say_number(frame->size, 2);
    port_write(frame->data, frame->size);
}

static void say_state(void)
{
    say('S');
    say((uint8_t)fl_receiver_state(&receiver));
}

static void push(void)
{
    for (uint8_t count = next_byte(); count > 0; count--) {
        const fl_frame *frame = fl_receiver_push(&receiver, next_byte());
        for (; frame != NULL; frame = fl_receiver_next(&receiver))
            say_frame(frame);
        say_state();
    }
}

static void idle(void)
{
    const fl_frame *frame;
    while ((frame = fl_receiver_idle(&receiver)) != NULL)
        say_frame(frame);
    say_state();
}

static void ledger(void)
{
    say('L');
    say_number(fl_receiver_received(&receiver), 4);
    say_number(receiver.ledger.delivered, 4);
    for (uint8_t reason = 0; reason < FL_REASONS; reason++)
        say_number(receiver.ledger.count[reason], 4);
    say_number(fl_receiver_pending(&receiver), 4);
    say_number(receiver.ledger.count[FL_COUNT_FRAMES], 4);
}

static void encode(void)
{
    uint8_t addr = next_byte(), cmd = next_byte();
    uint16_t size = next_number();
    for (uint16_t at = 0; at < size; at++) {
        uint8_t byte = next_byte();
        if (at < FL_MAX_DATA)
            output[FL_HEAD_SIZE + at] = byte;
    }
    fl_size whole = fl_seal(output, addr, cmd, size);
    say('E');
    say_number(whole, 2);
    port_write(output, whole);
}

int main(void)
{
    (void)port_start();
    fl_receiver_init(&receiver);
    for (;;) {
        switch (next_byte()) {
        case 'R':
            fl_receiver_init(&receiver);
            say('R');
            break;
        case 'P':
            push();
            break;
        case 'I':
            idle();
            break;
        case 'L':
            ledger();
            break;
        case 'E':
            encode();
            break;
        default:
            say('?');
        }
    }
}
