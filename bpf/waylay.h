/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * The layout that the kernel programs (waylay.bpf.c) and the daemon share: map keys, map values, settings, counters.
 * Plain C that is C++ too; every size is asserted, since both sides read the same bytes. Addresses are in network
 * order (IPv4 in the first four bytes), ports in host order, times in nanoseconds of CLOCK_MONOTONIC.
 */
#ifndef WAYLAY_H
#define WAYLAY_H

#include <linux/types.h>

#ifdef __cplusplus
#define WAYLAY_ASSERT_SIZE(type, size) static_assert(sizeof(type) == (size), #type " has a fixed size")
#else
#define WAYLAY_ASSERT_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type " has a fixed size")
#endif

enum {
  WAYLAY_IPV4 = 4,
  WAYLAY_IPV6 = 6,
  WAYLAY_COMM_SIZE = 16,
  WAYLAY_MAX_PORTS = 16,
  WAYLAY_MAX_EXCLUDED = 8,
};

/* A redirected connection as its acceptor sees it. The listener's port is part of the key because two targets in one
 * namespace have two listeners, and the kernel may give the same source port to a connection to each of them. */
struct waylay_flow_key {
  __u64 netns_cookie; /* SO_NETNS_COOKIE of the listener, of the client's namespace: the same one */
  __u8 source[16];
  __u16 source_port;
  __u16 listener_port;
  __u8 family; /* WAYLAY_IPV4 also for an IPv4-mapped client: that is how it arrives */
  __u8 pad[3];
};
WAYLAY_ASSERT_SIZE(struct waylay_flow_key, 32);

/* Where a connection was going, and who made it. */
struct waylay_origin {
  __u64 cgroup_id; /* of the connecting task */
  __u64 start_ns;  /* when connect() was called */
  __u8 address[16];
  __u32 target;
  __u32 pid; /* thread group, what user space calls the process */
  __u32 tid;
  __u32 uid;
  __u32 gid;
  __u16 port;
  __u8 family;    /* of `address`; WAYLAY_IPV4 also when the client wrote ::ffff:a.b.c.d */
  __u8 v4_mapped; /* the client has an IPv6 socket and wrote ::ffff:a.b.c.d */
  char comm[WAYLAY_COMM_SIZE];
};
WAYLAY_ASSERT_SIZE(struct waylay_origin, 72);

/* What a socket is to us; kept in the socket itself (SK_STORAGE), so it goes away with it. */
enum waylay_socket_state {
  WAYLAY_SOCKET_REDIRECTED = 1,
  WAYLAY_SOCKET_REFUSES_UDP = 2, /* a UDP socket connected to a redirected port: connect() worked, sending does not */
  WAYLAY_SOCKET_BYPASSED = 3,    /* counted already */
};

struct waylay_socket {
  struct waylay_flow_key key; /* valid when `listed` */
  struct waylay_origin origin;
  __u16 listener_port;
  __u8 state;
  __u8 listed; /* there is an entry in the flow map */
  __u8 pad[4];
};
WAYLAY_ASSERT_SIZE(struct waylay_socket, 112);

/* What is said of a connection attempt to one of the redirected ports. The decision (decide.h) is one of these, so
 * that nothing can be decided without being counted. Per target. */
enum waylay_counter {
  WAYLAY_SEEN = 0, /* TCP connects to a redirected port, whatever came of them */
  WAYLAY_REDIRECTED = 1,
  WAYLAY_BYPASSED_DEVICE = 2,           /* bound to a device (SO_BINDTODEVICE): loopback is out of its reach */
  WAYLAY_BYPASSED_NO_ROUTE = 3,         /* no route for this family: it fails as it did before */
  WAYLAY_BYPASSED_EXCLUDED_PROCESS = 4, /* the daemon itself */
  WAYLAY_NOT_TARGET_PROCESS = 5,        /* another process than the one asked for */
  WAYLAY_BYPASSED_LOOPBACK = 6,         /* to the target's own loopback */
  WAYLAY_BYPASSED_LINK_LOCAL = 7,       /* fe80::/10: its zone is not visible to the hook */
  WAYLAY_MAP_FULL = 8,                  /* as many flows as the map holds: left alone */
  WAYLAY_UNLISTED = 9,                  /* redirected, but no room in the map after all: its acceptor closes it */
  WAYLAY_BYPASSED_EARLIER = 10,         /* connected before the attach and still in use */
  WAYLAY_UDP_REFUSED = 11,              /* datagrams (QUIC) refused when sent */
  WAYLAY_BYPASSED_OTHER_NETNS = 12,     /* from another network namespace than the listeners' */
  WAYLAY_COUNTERS = 13,
};

struct waylay_counters {
  __u64 value[WAYLAY_COUNTERS];
};
WAYLAY_ASSERT_SIZE(struct waylay_counters, 104);

/* What one target's programs are loaded with; constant for their life. Lists end at the first 0. */
struct waylay_settings {
  __u64 max_flows;
  __u64 netns_cookie; /* where the listeners are; the cgroup may have processes elsewhere */
  __u32 target;
  __u32 only_pid; /* 0: every process of the cgroup */
  __u32 excluded[WAYLAY_MAX_EXCLUDED];
  __u16 ports[WAYLAY_MAX_PORTS];
  __u16 listener_port_v4; /* 0: no listener for this family */
  __u16 listener_port_v6;
  __u8 tree;              /* only_pid's descendants too: those in the tree map */
  __u8 redirect_loopback; /* connections to 127/8 and ::1 too */
  __u8 pad[2];
};
WAYLAY_ASSERT_SIZE(struct waylay_settings, 96);

/* The families redirected at the moment; routes change, so these do. */
enum {
  WAYLAY_FAMILY_V4 = 1,
  WAYLAY_FAMILY_V6 = 2,
};

#endif
