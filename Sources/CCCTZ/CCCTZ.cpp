#include "CCCTZ.h"

#include <chrono>
#include <cctz/civil_time.h>
#include <cctz/time_zone.h>
#include <map>
#include <mutex>
#include <string>

namespace {

using Seconds = std::chrono::duration<std::int_fast64_t>;
using Instant = std::chrono::time_point<std::chrono::system_clock, Seconds>;

Instant instant(int64_t seconds) { return Instant(Seconds(seconds)); }

const cctz::time_zone &zoneOf(const void *zone) { return *static_cast<const cctz::time_zone *>(zone); }

}  // namespace

const void *millrace_zone_load(const char *name) {
    static std::mutex guard;
    static std::map<std::string, const cctz::time_zone *> *zones = new std::map<std::string, const cctz::time_zone *>();
    const std::lock_guard<std::mutex> lock(guard);
    const auto found = zones->find(name);
    if (found != zones->end()) return found->second;
    cctz::time_zone zone;
    // Names that are no zone are not kept: they may come from data.
    if (!cctz::load_time_zone(name, &zone)) return nullptr;
    const auto *kept = new cctz::time_zone(zone);
    zones->emplace(name, kept);
    return kept;
}

int32_t millrace_zone_offset(const void *zone, int64_t seconds, bool *isDaylight, const char **abbreviation) {
    const auto lookup = zoneOf(zone).lookup(instant(seconds));
    if (isDaylight != nullptr) *isDaylight = lookup.is_dst;
    if (abbreviation != nullptr) *abbreviation = lookup.abbr;
    return lookup.offset;
}

int64_t millrace_zone_instant(const void *zone, int64_t localSeconds) {
    const cctz::civil_second civil = cctz::civil_second() + localSeconds;
    const auto lookup = zoneOf(zone).lookup(civil);
    return lookup.pre.time_since_epoch().count();
}
