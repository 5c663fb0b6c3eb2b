/* An ATmega328P at 16 MHz, as on an Arduino Uno: UART 0 at 115,200 baud, timer 0 for the ms. */
#include "port.h"

#include <avr/eeprom.h>
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <util/atomic.h>

#include "fl_ring.h"

#define BAUD 115200UL
#define UBRR_VALUE ((F_CPU + 4 * BAUD) / (8 * BAUD) - 1) /* double speed: 2.1 % off, as is common */
#define TICKS_PER_MS (F_CPU / 64 / 1000)

/* The starts so far, in EEPROM: it outlives a power cycle, and bears 100,000 of them. */
static uint16_t boots EEMEM = 0xFFFF;

#define KEPT_SIZE 1024U /* of 2,048 bytes of RAM */
__attribute__((section(".noinit.kept"))) static uint8_t kept[KEPT_SIZE];

static fl_ring ring;
static volatile uint32_t milliseconds;

ISR(USART_RX_vect)
{
    if (UCSR0A & _BV(DOR0)) /* the UART holds two bytes; a third was lost before we came */
        fl_ring_lose(&ring);
    fl_ring_put(&ring, UDR0);
}

ISR(TIMER0_COMPA_vect)
{
    milliseconds++;
}

static uint16_t count_boot(void)
{
    uint16_t before = (uint16_t)(eeprom_read_word(&boots) + 1U); /* an erased EEPROM holds 0xFFFF, too */
    eeprom_update_word(&boots, before);
    return before;
}

uint16_t port_start(void)
{
    uint16_t before = count_boot();
    TCCR0A = _BV(WGM01); /* count to OCR0A, then begin anew */
    TCCR0B = _BV(CS01) | _BV(CS00);
    OCR0A = TICKS_PER_MS - 1;
    TIMSK0 = _BV(OCIE0A);
    UCSR0A = _BV(U2X0);
    UBRR0 = UBRR_VALUE; /* after U2X0: simavr computes the speed when this is written */
    UCSR0C = _BV(UCSZ01) | _BV(UCSZ00);
    UCSR0B = _BV(RXCIE0) | _BV(RXEN0) | _BV(TXEN0);
    SMCR = 0; /* to sleep is to idle: timer and UART go on */
    sei();
    return before;
}

int port_read(void)
{
    int16_t byte = fl_ring_get(&ring);
    if (byte < 0) {
        cli(); /* a byte that comes between this look and the sleep must end the sleep */
        byte = fl_ring_get(&ring);
        if (byte < 0) {
            sleep_enable();
            sei(); /* takes effect after the next instruction */
            sleep_cpu();
            sleep_disable();
        }
        sei();
    }
    return byte;
}

void port_write(const uint8_t *bytes, size_t size)
{
    for (; size > 0; size--) {
        loop_until_bit_is_set(UCSR0A, UDRE0);
        UDR0 = *bytes++;
    }
}

uint32_t port_millis(void)
{
    uint32_t now = 0;
    ATOMIC_BLOCK(ATOMIC_FORCEON)
    {
        now = milliseconds;
    }
    return now;
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
