#include "CCCTZ.h"
