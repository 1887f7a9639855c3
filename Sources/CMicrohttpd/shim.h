#pragma once
#include <microhttpd.h>
#include <stdint.h>

// Swift cannot call variadic C functions: the two of libmicrohttpd that are needed have fixed forms here.

/// Listens with one epoll thread, at most 32 connections of 16 KB each, closed after 10 idle seconds.
/// NULL and errno where that fails.
static inline struct MHD_Daemon *millrace_httpd_start(int ipv6, const void *address,
                                                      MHD_AccessHandlerCallback handler, void *context) {
    unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | (ipv6 ? MHD_USE_IPv6 : 0);
    return MHD_start_daemon(flags, 0, NULL, NULL, handler, context,
                            MHD_OPTION_SOCK_ADDR, (const struct sockaddr *)address,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned int)32,
                            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)10,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)16384,
                            MHD_OPTION_END);
}

/// The port it listens on; 0 where the library cannot tell.
static inline uint16_t millrace_httpd_port(struct MHD_Daemon *daemon) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}
