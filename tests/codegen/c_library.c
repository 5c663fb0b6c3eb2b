/* The functions of a generated header, for ctypes; exports.h is made beside it. */
#include "exports.h"
