/* An LM3S6965 (Cortex-M3) at 50 MHz: UART 0 at 115,200 baud, SysTick for the ms. */
#include "port.h"

#include "fl_ring.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define RIS REGISTER(0x400FE050U) /* raw interrupts of the system control */
#define RCC REGISTER(0x400FE060U) /* run-mode clock configuration */
#define RCGC1 REGISTER(0x400FE104U)
#define RCGC2 REGISTER(0x400FE108U)
#define GPIOA_AFSEL REGISTER(0x40004420U)
#define GPIOA_DEN REGISTER(0x4000451CU)
#define UART_DR REGISTER(0x4000C000U)
#define UART_FR REGISTER(0x4000C018U)
#define UART_IBRD REGISTER(0x4000C024U)
#define UART_FBRD REGISTER(0x4000C028U)
#define UART_LCRH REGISTER(0x4000C02CU)
#define UART_CTL REGISTER(0x4000C030U)
#define UART_IM REGISTER(0x4000C038U)
#define UART_MIS REGISTER(0x4000C040U)
#define UART_ICR REGISTER(0x4000C044U)
#define SYSTICK_CONTROL REGISTER(0xE000E010U)
#define SYSTICK_RELOAD REGISTER(0xE000E014U)
#define SYSTICK_CURRENT REGISTER(0xE000E018U)
#define NVIC_ENABLE REGISTER(0xE000E100U)

#define RCC_BYPASS (1U << 11)
#define RCC_USESYSDIV (1U << 22)
#define RCC_8_MHZ_CRYSTAL (0xEU << 6)
#define RCC_DIVIDE_BY_4 (3U << 23)
#define RIS_PLL_LOCKED (1U << 6)
#define UART_IRQ 5U
#define UART_OVERRUN (1U << 11) /* in DR: a byte after this one's predecessor was lost */
#define UART_RX_EMPTY (1U << 4)
#define UART_TX_FULL (1U << 5)
#define UART_8N1_FIFO 0x70U
#define UART_RECEIVE_INTERRUPTS (1U << 4 | 1U << 6) /* enough bytes, or some and silence */
#define UART_ALL_INTERRUPTS 0x7FFU

#define CLOCK 50000000U
#define BAUD 115200U
#define DIVISOR ((CLOCK * 4U + BAUD / 2U) / BAUD) /* in 1/64 */
#define MAGIC 0x626F6F74U

/* The starts since power came: RAM that nobody clears outlives a reset. */
__attribute__((section(".noinit"))) static struct {
    uint32_t magic;
    uint16_t before;
} boots;

#define KEPT_SIZE 32768U /* of 65,536 bytes of RAM */
__attribute__((section(".noinit.kept"), aligned(8))) static uint8_t kept[KEPT_SIZE];

static fl_ring ring;
static volatile uint32_t milliseconds;

void uart0_interrupt(void);
void systick_interrupt(void);

void uart0_interrupt(void)
{
    UART_ICR = UART_MIS; /* before the bytes are taken, or one that comes meanwhile interrupts no more */
    while ((UART_FR & UART_RX_EMPTY) == 0) {
        uint32_t received = UART_DR;
        if ((received & UART_OVERRUN) != 0)
            fl_ring_lose(&ring);
        fl_ring_put(&ring, (uint8_t)received);
    }
}

void systick_interrupt(void)
{
    milliseconds = milliseconds + 1;
}

static uint16_t count_boot(void)
{
    if (boots.magic == MAGIC) {
        boots.before++;
    } else {
        boots.magic = MAGIC;
        boots.before = 0;
    }
    return boots.before;
}

/* From the internal oscillator to 50 MHz: crystal, PLL at 200 MHz, divided. */
static void start_clock(void)
{
    RCC = (RCC | RCC_BYPASS) & ~RCC_USESYSDIV;
    RCC = RCC_8_MHZ_CRYSTAL | RCC_BYPASS; /* crystal and PLL on */
    RCC = RCC_8_MHZ_CRYSTAL | RCC_BYPASS | RCC_DIVIDE_BY_4 | RCC_USESYSDIV;
    while ((RIS & RIS_PLL_LOCKED) == 0) {
    }
    RCC = RCC_8_MHZ_CRYSTAL | RCC_DIVIDE_BY_4 | RCC_USESYSDIV;
}

static void start_uart(void)
{
    RCGC1 |= 1U << 0;
    RCGC2 |= 1U << 0;
    (void)RCGC2; /* three cycles until the modules are clocked */
    (void)RCGC2;
    GPIOA_AFSEL |= 3U;
    GPIOA_DEN |= 3U;
    UART_CTL = 0;
    UART_IBRD = DIVISOR / 64U;
    UART_FBRD = DIVISOR % 64U;
    UART_LCRH = UART_8N1_FIFO;
    UART_CTL = 0x301U; /* receive, transmit, on */
    UART_ICR = UART_ALL_INTERRUPTS; /* QEMU keeps bytes over a reset; with some it would interrupt no more */
    while ((UART_FR & UART_RX_EMPTY) == 0)
        (void)UART_DR;
    UART_IM = UART_RECEIVE_INTERRUPTS;
    NVIC_ENABLE = 1U << UART_IRQ;
}

uint16_t port_start(void)
{
    uint16_t before = count_boot();
    start_clock();
    SYSTICK_RELOAD = CLOCK / 1000U - 1U;
    SYSTICK_CURRENT = 0;
    SYSTICK_CONTROL = 7U; /* on, with its interrupt, by the processor's clock */
    start_uart();
    return before;
}

int port_read(void)
{
    int16_t byte = fl_ring_get(&ring);
    if (byte < 0) {
        __asm__ volatile("cpsid i" ::: "memory"); /* a byte that comes before the sleep must end the sleep */
        byte = fl_ring_get(&ring);
        if (byte < 0)
            __asm__ volatile("wfi"); /* ends with an interrupt even while they are off */
        __asm__ volatile("cpsie i" ::: "memory");
    }
    return byte;
}

void port_write(const uint8_t *bytes, size_t size)
{
    for (; size > 0; size--) {
        while ((UART_FR & UART_TX_FULL) != 0) {
        }
        UART_DR = *bytes++;
    }
}

uint32_t port_millis(void)
{
    return milliseconds;
}

uint32_t port_overruns(void)
{
    return fl_ring_overruns(&ring);
}

void *port_kept(size_t *size)
{
    *size = sizeof kept;
    return kept;
}
