// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// The kernel side of the redirect. One copy of these programs is loaded for each target, with its own `settings`; the
// maps are shared by all copies. Every hook lets traffic through when something is not as expected.
//
//   connect4/6      keeps where the connection was going in the socket, points it to the listener on loopback
//   sockops         lists it under its source address before the SYN leaves; unlists it when the socket closes
//   getpeername4/6  tells the client the address that it asked for
//   sendmsg4/6      refuses datagrams of unconnected UDP sockets to the redirected ports, so QUIC falls back to TCP
//   egress          the same for connected UDP sockets; notices TCP connections older than the attach
//
// waylay_tree.bpf.c keeps the set of a process and its descendants, for targets that need it.
//
// Linux 6.1. UDP is never refused at connect(): getaddrinfo() sorts addresses by connecting UDP sockets.

// libbpf's headers use the types of linux/bpf.h without including it, so it stays first.
// clang-format off
#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
// clang-format on

#include "decide.h"
#include "tree.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define PASS 1
#define REFUSE 0 /* EPERM for the caller */

// The verifier allows context fields to be read one word at a time only; the compiler would join neighbours.
#define READ_WORD(field) (*(volatile __u32*)&(field))
#define READ_ADDRESS(field) {READ_WORD(field[0]), READ_WORD(field[1]), READ_WORD(field[2]), READ_WORD(field[3])}

#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

const volatile struct waylay_settings settings;
__u32 families;  // WAYLAY_FAMILY_...: the daemon changes it as routes change

// Listed connections. The daemon makes it larger than settings.max_flows by what may be between connect and SYN.
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 1);
  __type(key, struct waylay_flow_key);
  __type(value, struct waylay_origin);
} flows SEC(".maps");

// How many entries `flows` has. The daemon maps it into its memory: it removes entries too.
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u64);
} live_flows SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_SK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct waylay_socket);
} sockets SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct waylay_counters);
} counters SEC(".maps");

static __always_inline void count(__u32 index) {
  __u32 target = settings.target;
  struct waylay_counters* of_target = bpf_map_lookup_elem(&counters, &target);
  if (of_target && index < WAYLAY_COUNTERS) __sync_fetch_and_add(&of_target->value[index], 1);
}

static __always_inline bool has_room(void) {
  __u32 zero = 0;
  __u64* live = bpf_map_lookup_elem(&live_flows, &zero);
  return live && *live < settings.max_flows;
}

static __always_inline void add_live(__s64 change) {
  __u32 zero = 0;
  __u64* live = bpf_map_lookup_elem(&live_flows, &zero);
  if (live) __sync_fetch_and_add(live, change);
}

// ---- who and where to

static __always_inline void fill_v4(struct bpf_sock_addr* ctx, struct waylay_attempt* attempt) {
  __u32 address = ctx->user_ip4;
  attempt->family = WAYLAY_IPV4;
  __builtin_memcpy(attempt->address, &address, 4);
}

static __always_inline void fill_v6(struct bpf_sock_addr* ctx, struct waylay_attempt* attempt) {
  __u32 address[4] = READ_ADDRESS(ctx->user_ip6);
  attempt->family = WAYLAY_IPV6;
  __builtin_memcpy(attempt->address, address, 16);
  waylay_unmap(attempt);
}

static __always_inline enum waylay_counter decide(struct bpf_sock_addr* ctx, struct waylay_attempt* attempt) {
  attempt->pid = bpf_get_current_pid_tgid() >> 32;
  attempt->netns_cookie = bpf_get_netns_cookie(ctx);
  attempt->bound_device = ctx->sk ? ctx->sk->bound_dev_if : 0;
  if (settings.tree) attempt->in_tree = bpf_map_lookup_elem(&tree, &attempt->pid) != 0;
  return waylay_decide(&settings, families, attempt);
}

// ---- connect

static __always_inline void fill_origin(struct waylay_origin* origin, const struct waylay_attempt* attempt) {
  __u64 pid_tid = bpf_get_current_pid_tgid();
  __u64 gid_uid = bpf_get_current_uid_gid();
  origin->cgroup_id = bpf_get_current_cgroup_id();
  origin->start_ns = bpf_ktime_get_ns();
  __builtin_memcpy(origin->address, attempt->address, 16);
  origin->target = settings.target;
  origin->pid = pid_tid >> 32;
  origin->tid = (__u32)pid_tid;
  origin->uid = (__u32)gid_uid;
  origin->gid = gid_uid >> 32;
  origin->port = attempt->port;
  origin->family = attempt->family;
  origin->v4_mapped = attempt->v4_mapped;
  bpf_get_current_comm(origin->comm, sizeof origin->comm);
}

static __always_inline struct waylay_socket* remember(struct bpf_sock_addr* ctx, __u8 state) {
  struct waylay_socket* socket = ctx->sk ? bpf_sk_storage_get(&sockets, ctx->sk, 0, BPF_SK_STORAGE_GET_F_CREATE) : 0;
  if (!socket) return 0;
  socket->state = state;
  socket->origin.target = settings.target;
  return socket;
}

// A socket that was used before (connected, disconnected, connected again) forgets what it was. Not so one that a
// target further down in the cgroup tree has just redirected, when this hook runs with the listener as destination, or
// a UDP socket that such a target has just marked.
static __always_inline bool is_redirected_already(struct bpf_sock_addr* ctx, const struct waylay_attempt* attempt) {
  struct waylay_socket* socket = ctx->sk ? bpf_sk_storage_get(&sockets, ctx->sk, 0, 0) : 0;
  if (!socket) return false;
  if (socket->state == WAYLAY_SOCKET_REDIRECTED && socket->listener_port == attempt->port &&
      waylay_is_loopback(attempt))
    return true;
  if (ctx->type == SOCK_STREAM || socket->origin.target == settings.target) bpf_sk_storage_delete(&sockets, ctx->sk);
  return false;
}

// Says by its result whether the caller is to rewrite the destination.
static __always_inline bool take_tcp(struct bpf_sock_addr* ctx, struct waylay_attempt* attempt) {
  count(WAYLAY_SEEN);
  enum waylay_counter decision = decide(ctx, attempt);
  if (decision == WAYLAY_REDIRECTED && !has_room()) decision = WAYLAY_MAP_FULL;
  struct waylay_socket* socket =
      remember(ctx, decision == WAYLAY_REDIRECTED ? WAYLAY_SOCKET_REDIRECTED : WAYLAY_SOCKET_BYPASSED);
  if (!socket && decision == WAYLAY_REDIRECTED) decision = WAYLAY_MAP_FULL;
  count(decision);
  if (decision != WAYLAY_REDIRECTED || !socket) return false;
  fill_origin(&socket->origin, attempt);
  socket->listener_port = waylay_listener_port(&settings, families, attempt->family);
  // The daemon may have taken the family away since the decision; then this connection goes its own way.
  if (socket->listener_port == 0) {
    socket->state = WAYLAY_SOCKET_BYPASSED;
    return false;
  }
  attempt->port = socket->listener_port;
  return true;
}

static __always_inline bool take(struct bpf_sock_addr* ctx, struct waylay_attempt* attempt) {
  attempt->port = bpf_ntohs(ctx->user_port);
  if (is_redirected_already(ctx, attempt)) return false;
  if (!waylay_wants_port(&settings, attempt->port)) return false;
  if (ctx->type == SOCK_STREAM && (ctx->protocol == IPPROTO_TCP || ctx->protocol == IPPROTO_MPTCP))
    return take_tcp(ctx, attempt);
  if (ctx->type == SOCK_DGRAM && ctx->protocol == IPPROTO_UDP && decide(ctx, attempt) == WAYLAY_REDIRECTED)
    remember(ctx, WAYLAY_SOCKET_REFUSES_UDP);
  return false;
}

SEC("cgroup/connect4")
int waylay_connect4(struct bpf_sock_addr* ctx) {
  struct waylay_attempt attempt = {};
  fill_v4(ctx, &attempt);
  if (!take(ctx, &attempt)) return PASS;
  ctx->user_ip4 = bpf_htonl(0x7f000001);
  ctx->user_port = bpf_htons(attempt.port);
  return PASS;
}

SEC("cgroup/connect6")
int waylay_connect6(struct bpf_sock_addr* ctx) {
  struct waylay_attempt attempt = {};
  fill_v6(ctx, &attempt);
  if (!take(ctx, &attempt)) return PASS;
  ctx->user_ip6[0] = 0;
  ctx->user_ip6[1] = 0;
  ctx->user_ip6[2] = attempt.v4_mapped ? bpf_htonl(0xffff) : 0;
  ctx->user_ip6[3] = attempt.v4_mapped ? bpf_htonl(0x7f000001) : bpf_htonl(1);
  ctx->user_port = bpf_htons(attempt.port);
  return PASS;
}

// ---- the flow map follows the socket's life

static __always_inline void fill_key(struct bpf_sock_ops* ctx, struct waylay_socket* socket) {
  struct waylay_flow_key* key = &socket->key;
  __builtin_memset(key, 0, sizeof *key);
  key->netns_cookie = bpf_get_netns_cookie(ctx);
  key->source_port = ctx->local_port;
  key->listener_port = socket->listener_port;
  key->family = socket->origin.family;
  if (key->family == WAYLAY_IPV4) {
    __u32 source = ctx->local_ip4;
    __builtin_memcpy(key->source, &source, 4);
    return;
  }
  __u32 source[4] = READ_ADDRESS(ctx->local_ip6);
  __builtin_memcpy(key->source, source, 16);
}

static __always_inline bool list(const struct waylay_socket* socket) {
  if (bpf_map_update_elem(&flows, &socket->key, &socket->origin, BPF_NOEXIST) == 0) {
    add_live(1);
    return true;
  }
  // What an earlier socket with these addresses left, if somebody else's program took our state callback from it.
  return bpf_map_update_elem(&flows, &socket->key, &socket->origin, BPF_EXIST) == 0;
}

static __always_inline struct waylay_socket* redirected_socket(struct bpf_sock_ops* ctx) {
  struct bpf_sock* sk = ctx->sk;
  struct waylay_socket* socket = sk ? bpf_sk_storage_get(&sockets, sk, 0, 0) : 0;
  if (!socket || socket->state != WAYLAY_SOCKET_REDIRECTED || socket->origin.target != settings.target) return 0;
  return socket;
}

static __always_inline void on_connect(struct bpf_sock_ops* ctx) {
  struct waylay_socket* socket = redirected_socket(ctx);
  if (!socket) return;
  fill_key(ctx, socket);
  socket->listed = list(socket);
  if (!socket->listed) return count(WAYLAY_UNLISTED);
  bpf_sock_ops_cb_flags_set(ctx, ctx->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG);
}

static __always_inline void on_close(struct bpf_sock_ops* ctx) {
  struct waylay_socket* socket = redirected_socket(ctx);
  if (!socket || !socket->listed) return;
  socket->listed = 0;
  if (bpf_map_delete_elem(&flows, &socket->key) == 0) add_live(-1);
}

SEC("sockops")
int waylay_sockops(struct bpf_sock_ops* ctx) {
  if (ctx->op == BPF_SOCK_OPS_TCP_CONNECT_CB) on_connect(ctx);
  if (ctx->op == BPF_SOCK_OPS_STATE_CB && ctx->args[1] == BPF_TCP_CLOSE) on_close(ctx);
  return 1;
}

// ---- the illusion

static __always_inline struct waylay_socket* redirected_peer(struct bpf_sock_addr* ctx) {
  struct waylay_socket* socket = ctx->sk ? bpf_sk_storage_get(&sockets, ctx->sk, 0, 0) : 0;
  return socket && socket->state == WAYLAY_SOCKET_REDIRECTED ? socket : 0;
}

SEC("cgroup/getpeername4")
int waylay_getpeername4(struct bpf_sock_addr* ctx) {
  struct waylay_socket* socket = redirected_peer(ctx);
  if (!socket || socket->origin.family != WAYLAY_IPV4) return PASS;
  __u32 address;
  __builtin_memcpy(&address, socket->origin.address, 4);
  ctx->user_ip4 = address;
  ctx->user_port = bpf_htons(socket->origin.port);
  return PASS;
}

SEC("cgroup/getpeername6")
int waylay_getpeername6(struct bpf_sock_addr* ctx) {
  struct waylay_socket* socket = redirected_peer(ctx);
  if (!socket) return PASS;
  __u32 address[4];
  __builtin_memcpy(address, socket->origin.address, 16);
  bool v6 = socket->origin.family == WAYLAY_IPV6;
  ctx->user_ip6[0] = v6 ? address[0] : 0;
  ctx->user_ip6[1] = v6 ? address[1] : 0;
  ctx->user_ip6[2] = v6 ? address[2] : bpf_htonl(0xffff);
  ctx->user_ip6[3] = v6 ? address[3] : address[0];
  ctx->user_port = bpf_htons(socket->origin.port);
  return PASS;
}

// ---- UDP to the redirected ports is refused when sent

static __always_inline int refuse_datagram(struct bpf_sock_addr* ctx, struct waylay_attempt* attempt) {
  attempt->port = bpf_ntohs(ctx->user_port);
  if (!waylay_wants_port(&settings, attempt->port)) return PASS;
  if (ctx->protocol != IPPROTO_UDP || decide(ctx, attempt) != WAYLAY_REDIRECTED) return PASS;
  count(WAYLAY_UDP_REFUSED);
  return REFUSE;
}

SEC("cgroup/sendmsg4")
int waylay_sendmsg4(struct bpf_sock_addr* ctx) {
  struct waylay_attempt attempt = {};
  fill_v4(ctx, &attempt);
  return refuse_datagram(ctx, &attempt);
}

SEC("cgroup/sendmsg6")
int waylay_sendmsg6(struct bpf_sock_addr* ctx) {
  struct waylay_attempt attempt = {};
  fill_v6(ctx, &attempt);
  return refuse_datagram(ctx, &attempt);
}

// A connected UDP socket was judged, and marked, when it was connected: the process is known there, not here.
static __always_inline int refuse_connected(struct bpf_sock* sk) {
  struct waylay_socket* socket = bpf_sk_storage_get(&sockets, sk, 0, 0);
  if (!socket || socket->state != WAYLAY_SOCKET_REFUSES_UDP || socket->origin.target != settings.target) return PASS;
  count(WAYLAY_UDP_REFUSED);
  return REFUSE;
}

// A TCP connection to a redirected port that the connect hook did not see is older than the attach: counted once. The
// process is not known here, so a target that is one process of a cgroup does not count these.
static __always_inline void notice_earlier(struct bpf_sock* sk) {
  if (settings.only_pid != 0 || sk->state != BPF_TCP_ESTABLISHED) return;
  if (bpf_sk_storage_get(&sockets, sk, 0, 0)) return;
  struct waylay_socket* socket = bpf_sk_storage_get(&sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
  if (!socket) return;
  socket->state = WAYLAY_SOCKET_BYPASSED;
  count(WAYLAY_BYPASSED_EARLIER);
}

SEC("cgroup_skb/egress")
int waylay_egress(struct __sk_buff* ctx) {
  struct bpf_sock* sk = ctx->sk ? bpf_sk_fullsock(ctx->sk) : 0;
  if (!sk || !waylay_wants_port(&settings, bpf_ntohs(sk->dst_port))) return PASS;
  if (sk->protocol == IPPROTO_UDP) return refuse_connected(sk);
  if (sk->protocol == IPPROTO_TCP) notice_earlier(sk);
  return PASS;
}
