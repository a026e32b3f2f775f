// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// Keeps the set of a process and its descendants, for targets with `tree`. An object of its own, since it looks into
// the kernel's structures: libbpf reads the whole kernel's type information (5 MiB) for whoever does, which would be
// most of the time that every attach takes.

// libbpf's headers use the types of linux/bpf.h without including it, so it stays first.
// clang-format off
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
// clang-format on

#include "tree.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct atomic_t {
  int counter;
} __attribute__((preserve_access_index));
struct signal_struct {
  struct atomic_t live;
} __attribute__((preserve_access_index));
struct task_struct {
  int tgid;
  struct signal_struct* signal;
} __attribute__((preserve_access_index));

// A child belongs to its parent's tree for its whole life, also when the parent ends before it: looking for the parent
// only when the child connects would lose what was started in the background. The daemon adds who is there already.
SEC("tp_btf/sched_process_fork")
int waylay_fork(__u64* ctx) {
  struct task_struct* parent = (void*)ctx[0];
  struct task_struct* child = (void*)ctx[1];
  __u32 parent_pid = parent->tgid;
  __u32 child_pid = child->tgid;
  __u8 member = 1;
  if (child_pid != parent_pid && bpf_map_lookup_elem(&tree, &parent_pid))
    bpf_map_update_elem(&tree, &child_pid, &member, BPF_ANY);
  return 0;
}

// The last thread of a process takes it out of the set: its number will be somebody else's.
SEC("tp_btf/sched_process_exit")
int waylay_exit(__u64* ctx) {
  struct task_struct* task = (void*)ctx[0];
  __u32 pid = task->tgid;
  if (task->signal->live.counter == 0) bpf_map_delete_elem(&tree, &pid);
  return 0;
}
