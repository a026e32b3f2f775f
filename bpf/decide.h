/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * Which connections are ours: plain functions over plain values, compiled into the kernel programs and into the unit
 * tests. No helper calls here; the hooks gather what these need.
 */
#ifndef WAYLAY_DECIDE_H
#define WAYLAY_DECIDE_H

#include "waylay.h"

#ifndef __cplusplus
#include <stdbool.h>
#endif

/* One connect() or, for UDP, one sendmsg(), after waylay_unmap(). */
struct waylay_attempt {
  __u8 address[16]; /* network order; IPv4 in the first four bytes */
  __u16 port;       /* host order */
  __u8 family;      /* WAYLAY_IPV4 or WAYLAY_IPV6 */
  __u8 v4_mapped;
  __u32 pid;
  __u32 bound_device; /* interface index of SO_BINDTODEVICE, else 0 */
  __u64 netns_cookie;
  bool in_tree; /* settings.only_pid or a descendant; known only with settings.tree */
};

#define WAYLAY_INLINE static inline __attribute__((always_inline, unused))

/* ::ffff:a.b.c.d is IPv4 spoken through an IPv6 socket: judged, redirected and reported as IPv4. */
WAYLAY_INLINE void waylay_unmap(struct waylay_attempt* attempt) {
  if (attempt->family != WAYLAY_IPV6) return;
  for (int i = 0; i < 10; ++i)
    if (attempt->address[i] != 0) return;
  if (attempt->address[10] != 0xff || attempt->address[11] != 0xff) return;
  for (int i = 0; i < 4; ++i) attempt->address[i] = attempt->address[12 + i];
  for (int i = 4; i < 16; ++i) attempt->address[i] = 0;
  attempt->family = WAYLAY_IPV4;
  attempt->v4_mapped = 1;
}

WAYLAY_INLINE bool waylay_wants_port(const volatile struct waylay_settings* settings, __u16 port) {
  for (int i = 0; i < WAYLAY_MAX_PORTS; ++i) {
    __u16 wanted = settings->ports[i];
    if (wanted == 0) return false;
    if (wanted == port) return true;
  }
  return false;
}

WAYLAY_INLINE bool waylay_excludes(const volatile struct waylay_settings* settings, __u32 pid) {
  for (int i = 0; i < WAYLAY_MAX_EXCLUDED; ++i) {
    __u32 excluded = settings->excluded[i];
    if (excluded == 0) return false;
    if (excluded == pid) return true;
  }
  return false;
}

WAYLAY_INLINE bool waylay_is_target(const volatile struct waylay_settings* settings,
                                    const struct waylay_attempt* attempt) {
  if (settings->only_pid == 0) return true;
  /* The number of a tree's first process may belong to somebody else when only its descendants are left. */
  if (settings->tree) return attempt->in_tree;
  return settings->only_pid == attempt->pid;
}

/* 127/8 and ::1, and the unspecified address, which connect() takes for loopback. */
WAYLAY_INLINE bool waylay_is_loopback(const struct waylay_attempt* attempt) {
  if (attempt->family == WAYLAY_IPV4) {
    if (attempt->address[0] == 127) return true;
    return attempt->address[0] == 0 && attempt->address[1] == 0 && attempt->address[2] == 0 && attempt->address[3] == 0;
  }
  for (int i = 0; i < 15; ++i)
    if (attempt->address[i] != 0) return false;
  return attempt->address[15] <= 1;
}

WAYLAY_INLINE bool waylay_is_link_local_v6(const struct waylay_attempt* attempt) {
  return attempt->family == WAYLAY_IPV6 && attempt->address[0] == 0xfe && (attempt->address[1] & 0xc0) == 0x80;
}

/* 0 when this family is not redirected. */
WAYLAY_INLINE __u16 waylay_listener_port(const volatile struct waylay_settings* settings, __u32 families, __u8 family) {
  if (family == WAYLAY_IPV4) return (families & WAYLAY_FAMILY_V4) ? settings->listener_port_v4 : 0;
  return (families & WAYLAY_FAMILY_V6) ? settings->listener_port_v6 : 0;
}

/* The one decision, for an attempt to a wanted port: WAYLAY_REDIRECTED (for UDP: to be refused), or why not. First the
 * questions of who, then those of where to, so that another process's connection is never counted as a bypassed one. */
WAYLAY_INLINE enum waylay_counter waylay_decide(const volatile struct waylay_settings* settings, __u32 families,
                                                const struct waylay_attempt* attempt) {
  if (waylay_excludes(settings, attempt->pid)) return WAYLAY_BYPASSED_EXCLUDED_PROCESS;
  if (!waylay_is_target(settings, attempt)) return WAYLAY_NOT_TARGET_PROCESS;
  /* Loopback there has no listener of ours: the connection would be refused. */
  if (attempt->netns_cookie != settings->netns_cookie) return WAYLAY_BYPASSED_OTHER_NETNS;
  if (waylay_is_loopback(attempt) && !settings->redirect_loopback) return WAYLAY_BYPASSED_LOOPBACK;
  if (waylay_is_link_local_v6(attempt)) return WAYLAY_BYPASSED_LINK_LOCAL;
  if (attempt->bound_device != 0) return WAYLAY_BYPASSED_DEVICE;
  if (waylay_listener_port(settings, families, attempt->family) == 0) return WAYLAY_BYPASSED_NO_ROUTE;
  return WAYLAY_REDIRECTED;
}

#endif
