/* The boot loader: copies the chosen image to where it runs, and starts it.
 *
 * The chosen slot's image runs if it is whole, else the factory's, which is part of the loader's flash.
 */
#include <string.h>

#include "factory.h" /* made for this build: the factory's image as bytes */
#include "image.h"

#define VTOR (*(volatile uint32_t *)0xE000ED08U) /* where the vectors are */

extern uint8_t run_start[]; /* the linker script's */

int main(void);

static const image *choose(void)
{
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        const image *one = (const image *)(const void *)slot_at(slot);
        if (record.chosen == choice_of(slot) && image_is_valid(one)) {
            record.running = slot;
            return one;
        }
    }
    record.running = SLOTS;
    return (const image *)(const void *)factory;
}

/* Take the stack and the start from the code's first two words; the loader's own stack ends here. */
__attribute__((noreturn)) static void start(uint32_t stack, uint32_t entry)
{
    __asm__ volatile("msr msp, %0\n\tbx %1" : : "r"(stack), "r"(entry));
    __builtin_unreachable();
}

int main(void)
{
    uint32_t first[2];
    const image *one = choose();
    memcpy(run_start, one + 1, one->length);
    memcpy(first, run_start, sizeof first);
    VTOR = (uint32_t)run_start;
    start(first[0], first[1]);
}
