#include "proxy/control_channel.h"

#include "base/log.h"

namespace waylay::proxy {
namespace {

using warden::Message;
using warden::MessageType;

std::vector<std::vector<Fd>> deal_out(std::vector<Fd> listeners, size_t workers) {
  std::vector<std::vector<Fd>> dealt(workers);
  for (size_t i = 0; i < listeners.size(); i++) dealt[i % workers].push_back(std::move(listeners[i]));
  return dealt;
}

}  // namespace

ControlChannel::ControlChannel(io::Ring& ring, io::Mailbox& answers, Workers& workers, TargetTable& targets,
                               std::function<void()> reload_rules)
    : ring_(ring),
      answers_(answers),
      workers_(workers),
      targets_(targets),
      reload_rules_(std::move(reload_rules)),
      socket_(ring, *this) {}

void ControlChannel::open(Fd fd) {
  socket_.open(std::move(fd));
  tell(MessageType::Ready, 0);
}

// ---- the warden's messages

void ControlChannel::on_message(io::MessageSocket&, Bytes bytes, std::vector<Fd> descriptors) {
  Result<Message> message = warden::decode(bytes, std::move(descriptors));
  if (message) return handle(std::move(*message));
  log::error("event=bad-message-from-warden " + message.error().message);
}

void ControlChannel::handle(Message message) {
  switch (message.header.type) {
    case MessageType::TargetAdded:
      return add_target(std::move(message));
    case MessageType::TargetRemoved:
      return remove_target(message);
    case MessageType::ReloadRules:
      return reload_rules_();
    case MessageType::Stop:
      return stop("the warden says so");
    default:
      log::error("event=unexpected-message-from-warden");
  }
}

void ControlChannel::on_lost(io::MessageSocket&, Error error) {
  stop(error.message);
}
void ControlChannel::on_closed(io::MessageSocket&) {
  closed_ = true;
}

void ControlChannel::stop(std::string_view why) {
  log::info("event=stopping reason=" + log::quoted(why));
  socket_.close();
}

void ControlChannel::tell(MessageType type, uint32_t target) {
  Result<void> sent = socket_.send(as_bytes(warden::encode({.type = type, .target = target}, {})));
  if (!sent) log::warning("event=warden-not-told " + sent.error().message);
}

// ---- targets

void ControlChannel::add_target(Message message) {
  Result<warden::TargetInfo> info = warden::target_info_from_json(message.payload);
  size_t listeners = message.descriptors.size();
  if (!info || listeners == 0 || listeners % workers_.size() != 0) {
    log::error("event=bad-target target=" + std::to_string(message.header.target) + " " +
               (info ? "listeners=" + std::to_string(listeners) : info.error().message));
    return;
  }
  auto target = std::make_shared<Target>();
  target->id = message.header.target;
  target->info = std::move(*info);
  add(target, std::move(message.descriptors));
}

void ControlChannel::add(const std::shared_ptr<const Target>& target, std::vector<Fd> listeners) {
  uint32_t id = target->id;
  targets_.add(target);
  unanswered_[id] = {Wish::Accept, workers_.size()};
  std::vector<std::vector<Fd>> dealt = deal_out(std::move(listeners), workers_.size());
  for (size_t i = 0; i < workers_.size(); i++) {
    workers_[i]->add(target, std::move(dealt[i]),
                     [this, id] { answers_.post([this, id] { carried_out(id, Wish::Accept); }); });
  }
}

void ControlChannel::remove_target(const Message& message) {
  uint32_t id = message.header.target;
  targets_.ended(id, message.payload, ring_.time());
  unanswered_[id] = {Wish::Drain, workers_.size()};
  bool close_connections = message.header.count == 1;
  for (auto& worker : workers_) {
    worker->remove(id, close_connections, [this, id] { answers_.post([this, id] { carried_out(id, Wish::Drain); }); });
  }
}

void ControlChannel::carried_out(uint32_t target, Wish wish) {
  auto found = unanswered_.find(target);
  if (found == unanswered_.end() || found->second.wish != wish) return;  // removed while it was being added
  if (--found->second.workers > 0) return;
  unanswered_.erase(found);
  if (target == 0) return;  // --listen: the warden did not ask
  tell(wish == Wish::Accept ? MessageType::TargetReady : MessageType::TargetDrained, target);
}

}  // namespace waylay::proxy
