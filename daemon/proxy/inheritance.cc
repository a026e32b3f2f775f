#include "proxy/inheritance.h"

#include <iterator>

namespace waylay::proxy {
namespace {

Error bad_start(const std::string& what) {
  return Error::local(ErrorKind::Invalid, "the warden's first message: " + what);
}

Result<Inheritance> take_apart(warden::StartInfo info, std::vector<Fd> descriptors) {
  size_t workers = info.workers;
  size_t expected = 3 + workers + (info.has_listen ? workers : 0);
  if (workers == 0) return fail(bad_start("no workers"));
  if (descriptors.size() != expected) {
    return fail(bad_start(std::to_string(descriptors.size()) + " descriptors instead of " + std::to_string(expected)));
  }
  auto next = std::make_move_iterator(descriptors.begin());
  Inheritance taken{.info = std::move(info)};
  taken.api_listener = *next++;
  taken.flow_map = *next++;
  taken.counters = *next++;
  for (size_t i = 0; i < workers; i++) taken.channels.emplace_back(*next++);
  for (size_t i = 3 + workers; i < expected; i++) taken.listen_sockets.emplace_back(*next++);
  return taken;
}

}  // namespace

Result<Inheritance> receive_inheritance(int control) {
  Result<warden::Message> message = warden::receive(control);
  if (!message) return fail(message, "waiting for the warden");
  if (message->header.type != warden::MessageType::Start) return fail(bad_start("it is not Start"));
  Result<warden::StartInfo> info = warden::start_info_from_json(message->payload);
  if (!info) return fail(info);
  return take_apart(std::move(*info), std::move(message->descriptors));
}

}  // namespace waylay::proxy
