#pragma once
#include <stdbool.h>
#include <stdint.h>

// Time zones of the system's database through Google's CCTZ. Every function may be called from any thread.
#ifdef __cplusplus
extern "C" {
#endif

// A loaded zone; never freed (CCTZ keeps each once for the process). NULL if there is no such zone.
const void *millrace_zone_load(const char *name);
// Seconds east of UTC at an instant (seconds since 1970-01-01 UTC). *isDaylight and *abbreviation may be NULL;
// the abbreviation lives as long as the process.
int32_t millrace_zone_offset(const void *zone, int64_t seconds, bool *isDaylight, const char **abbreviation);
// The instant of a local time given as seconds since 1970-01-01 00:00 local. Java's rules: in an overlap the earlier
// instant, in a gap the time is moved on by the length of the gap.
int64_t millrace_zone_instant(const void *zone, int64_t localSeconds);

#ifdef __cplusplus
}
#endif
