/* What the Arduino IDE makes of a sketch. */
#include "Arduino.h"

#include "arduino_echo.ino"

int main()
{
    setup();
    for (;;)
        loop();
}
