#pragma once
// Source locations of C would name this file for every line: they are left out of journal entries.
#define SD_JOURNAL_SUPPRESS_LOCATION 1
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
