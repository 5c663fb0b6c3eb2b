/* Constants that stay in flash where RAM is a memory of its own: on AVR. */
#ifndef FL_FLASH_H
#define FL_FLASH_H

#include <string.h>

#if defined(__AVR__)
#include <avr/pgmspace.h>
#define FL_FLASH PROGMEM          /* behind the declaration of a static constant */
#define FL_TEXT(text) PSTR(text)  /* a text of that kind, inside a function */
#define fl_flash_copy(to, from, size) ((void)memcpy_P(to, from, size))
#define fl_flash_length(text) strlen_P(text)
#else
#define FL_FLASH
#define FL_TEXT(text) (text)
#define fl_flash_copy(to, from, size) ((void)memcpy(to, from, size))
#define fl_flash_length(text) strlen(text)
#endif

#endif
