#include "proxy/warden_link.h"

#include <cerrno>

#include "base/log.h"

namespace waylay::proxy {
namespace {

using warden::Header;
using warden::Message;
using warden::MessageType;

Error refusal(const Message& message, std::string_view what) {
  std::string text = std::string(what) + ": " + message.payload;
  return {ErrorKind::Unavailable, Side::Local, std::move(text), message.header.status};
}

}  // namespace

Result<void> WardenLink::ask(const Header& header, std::string_view payload) {
  if (payload.size() > warden::kMaximumPayload)
    return fail(Error::local(ErrorKind::Limit, "a question to the warden is too long"));
  return socket_.send(as_bytes(warden::encode(header, payload)));
}

Result<void> WardenLink::ask_signature(uint64_t id, Bytes tbs) {
  return ask({.type = MessageType::Sign, .id = id}, as_text(tbs));
}

Result<void> WardenLink::ask_sockets(uint32_t target, Family family, size_t count) {
  return ask({.type = MessageType::WantSockets,
              .target = target,
              .count = static_cast<uint16_t>(count),
              .family = static_cast<uint8_t>(family)},
             {});
}

Result<void> WardenLink::ask_process(uint64_t id, uint32_t target, uint32_t pid, uint64_t cgroup_id) {
  return ask({.type = MessageType::WhoIs, .target = target, .id = id},
             std::to_string(pid) + " " + std::to_string(cgroup_id));
}

void WardenLink::on_message(io::MessageSocket&, Bytes bytes, std::vector<Fd> descriptors) {
  Result<Message> message = warden::decode(bytes, std::move(descriptors));
  if (message) return handle(std::move(*message));
  log::error("event=bad-message-from-warden " + message.error().message);
}

void WardenLink::handle(Message message) {
  switch (message.header.type) {
    case MessageType::Signature:
      if (message.header.status != 0)
        return owner_.on_signature(message.header.id, fail(refusal(message, "the warden does not sign")));
      return owner_.on_signature(message.header.id, std::move(message.payload));
    case MessageType::Sockets:
      return handle_sockets(std::move(message));
    case MessageType::Process:
      return handle_process(message);
    default:
      log::error("event=unexpected-message-from-warden");
  }
}

void WardenLink::handle_sockets(Message message) {
  auto family = static_cast<Family>(message.header.family);
  if (message.header.status == 0 && message.descriptors.empty()) {
    message.header.status = EMFILE;
    message.payload = "this process may open no more descriptors";
  }
  if (message.header.status != 0)
    return owner_.on_sockets(message.header.target, family, fail(refusal(message, "making a socket for the upstream")));
  owner_.on_sockets(message.header.target, family, std::move(message.descriptors));
}

void WardenLink::handle_process(const Message& message) {
  if (message.payload.empty()) return owner_.on_process(message.header.id, std::nullopt);
  Result<warden::ProcessInfo> process = warden::process_info_from_json(message.payload);
  if (process) return owner_.on_process(message.header.id, std::move(*process));
  log::error("event=bad-message-from-warden " + process.error().message);
  owner_.on_process(message.header.id, std::nullopt);
}

void WardenLink::on_lost(io::MessageSocket&, Error error) {
  owner_.on_warden_lost(std::move(error));
}
void WardenLink::on_closed(io::MessageSocket&) {
  closed_ = true;
}

}  // namespace waylay::proxy
