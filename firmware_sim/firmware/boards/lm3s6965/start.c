/* From reset to main, and where each interrupt goes. */
#include <string.h>

/* What the linker script says: a symbol's address is the place, or the number of bytes. */
extern char data_start[], data_size[], bss_start[], bss_size[];
extern const char data_stored[];

typedef void (*vector)(void);

int main(void);
void reset(void);
void systick_interrupt(void);
void uart0_interrupt(void);

/* What nobody expects stops the firmware, where a debugger finds it. */
static void stop(void)
{
    for (;;) {
    }
}

void reset(void)
{
    memcpy(data_start, data_stored, (size_t)data_size);
    memset(bss_start, 0, (size_t)bss_size);
    (void)main();
    stop();
}

__attribute__((section(".vectors"), used)) static const vector vectors[] = {
    reset,
    stop, /* NMI */
    stop, /* hard fault */
    stop, /* memory management */
    stop, /* bus fault */
    stop, /* usage fault */
    NULL,
    NULL,
    NULL,
    NULL,
    stop, /* supervisor call */
    stop, /* debug monitor */
    NULL,
    stop, /* PendSV */
    systick_interrupt,
    stop, /* GPIO A to E */
    stop,
    stop,
    stop,
    stop,
    uart0_interrupt,
};
