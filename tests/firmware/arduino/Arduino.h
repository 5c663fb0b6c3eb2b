/* As much of Arduino as the example needs, on our own port layer. */
#ifndef ARDUINO_H
#define ARDUINO_H

extern "C" {
#include "port.h"
}

enum { OUTPUT = 1, LED_BUILTIN = 13, A0 = 14 };

class HardwareSerial {
public:
    void begin(unsigned long)
    {
        (void)port_start();
    }

    int read()
    {
        return port_read();
    }

    size_t write(const uint8_t *bytes, size_t size)
    {
        port_write(bytes, size);
        return size;
    }
};

static HardwareSerial Serial;
static uint8_t led_level;

static inline unsigned long millis()
{
    return port_millis();
}

static inline void pinMode(uint8_t, uint8_t) {}

static inline void digitalWrite(uint8_t, uint8_t level)
{
    led_level = level;
}

static inline int analogRead(uint8_t)
{
    return 500 + led_level;
}

#endif
