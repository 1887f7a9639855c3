#pragma once
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
// The allocator's settings: librdkafka is what allocates from many threads.
#include <malloc.h>
