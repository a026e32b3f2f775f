// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// The processes of a target with `tree`: each target has its own set. waylay.bpf.c looks into it, waylay_tree.bpf.c
// keeps it; the daemon gives both the same map.
#pragma once

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u8);
} tree SEC(".maps");
