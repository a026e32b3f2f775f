// The two sockets of the daemon, blocking: HTTP on RUNTIME/waylay.sock, one JSON line each way on RUNTIME/warden.sock.
//
// An Error with Side::Local never reached the daemon (kind Unavailable or Permission: see Exit::kUnreachable); what the
// daemon answered has Side::Upstream.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/handle.h"
#include "base/result.h"
#include "http/h1.h"

namespace waylay::cli {

using Json = nlohmann::ordered_json;

// An answer whose lines come as they are made. The daemon keeps what it stands for until this is destroyed.
class Stream {
 public:
  // The next line; nothing at the stream's end. Waits for it.
  Result<std::optional<std::string>> next_line();
  Result<std::string> rest();  // all of it, without what was read as lines
  // Readable when there may be more to be had: another line, or the end.
  int descriptor() const { return socket_.get(); }

 private:
  friend class ApiClient;
  Stream(Fd socket, std::string_view method);
  Result<void> receive_more();

  Fd socket_;
  http::H1Reader reader_;
  int status_ = 0;  // 0: its head has not come yet
  std::string waiting_;
  bool ended_ = false;
};

class ApiClient {
 public:
  explicit ApiClient(std::string socket_path) : path_(std::move(socket_path)) {}

  Result<Json> get(std::string_view target) const { return request("GET", target); }
  // An answer of 400 or more is an Error with the daemon's words.
  Result<Json> request(std::string_view method, std::string_view target, std::string_view body = {}) const;
  Result<std::string> get_text(std::string_view target) const;
  // An answer of 400 or more is an Error here too.
  Result<Stream> open(std::string_view method, std::string_view target, std::string_view body = {}) const;
  // Hands each line of a stream to `on_line` until it answers false or the stream ends.
  Result<void> follow(std::string_view target, const std::function<bool(std::string_view)>& on_line) const;

 private:
  Result<std::string> whole_answer(std::string_view method, std::string_view target, std::string_view body) const;

  std::string path_;
};

class WardenClient {
 public:
  explicit WardenClient(std::string socket_path) : path_(std::move(socket_path)) {}
  Result<Json> ask(const Json& request) const;  // the answer; {"ok": false} is an Error

 private:
  std::string path_;
};

Result<Fd> connect_to_daemon(const std::string& path);
std::string percent_encode(std::string_view text);

}  // namespace waylay::cli
