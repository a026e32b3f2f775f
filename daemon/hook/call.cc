#include "hook/call.h"

#include "hook/answer.h"

namespace waylay::hook {
namespace {

// Of what a failing handler says, so much goes into the record.
constexpr size_t kMostQuoted = 200;

std::string quoted(std::string_view text) {
  return text.empty() ? "" : ": " + std::string(text.substr(0, kMostQuoted));
}

}  // namespace

Call::Call(const rules::Handler& handler, std::string_view event) : reader_(http::Kind::Response, Side::Local) {
  request_ = "POST " + handler.path + " HTTP/1.1\r\nHost: " + handler.host +
             "\r\nUser-Agent: waylay\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: " +
             std::to_string(event.size()) + "\r\n\r\n";
  request_.append(event);
  reader_.answer_to("POST");
}

void Call::put(Bytes bytes) {
  if (done()) return;
  reader_.put(bytes);
  while (!done()) {
    http::H1Reader::Event event = reader_.next();
    if (event == http::H1Reader::Event::NeedMore) break;
    read(event);
  }
  if (!done()) reader_.put({});
}

void Call::on_end() {
  if (done()) return;
  if (reader_.between_messages() && status_ == 0) return failed("closed the connection without an answer");
  if (reader_.on_eof() == http::H1Reader::Event::End) return conclude();
  failed("closed the connection in the midst of its answer");
}

void Call::read(http::H1Reader::Event event) {
  switch (event) {
    case http::H1Reader::Event::Head:
      status_ = reader_.head().status();
      function_error_ = reader_.head().first("x-amz-function-error").value_or("");
      return;
    case http::H1Reader::Event::Body:
      body_.append(as_text(reader_.payload()));
      if (body_.size() > kMostAnswer) failed("answered with more than 6 MiB");
      return;
    case http::H1Reader::Event::End:
      if (status_ >= 200) conclude();
      return;
    case http::H1Reader::Event::Failed:
      return failed("did not answer in HTTP: " + reader_.error().message);
    case http::H1Reader::Event::Tunnel:
      return failed("wants to speak another protocol");
    case http::H1Reader::Event::NeedMore:
      return;
  }
}

void Call::conclude() {
  if (status_ != 200) return failed("answered the call with status " + std::to_string(status_) + quoted(body_));
  if (!function_error_.empty()) return failed("failed (" + function_error_ + ")" + quoted(body_));
  answer_ = read_answer(body_);
  // The emulator tells a function's exception in the answer alone.
  if (!*answer_ && body_.find("\"errorMessage\"") != std::string::npos) failed("failed" + quoted(body_));
}

void Call::failed(std::string what) {
  answer_ = fail(Error::local(ErrorKind::Unavailable, "the handler " + std::move(what)));
}

}  // namespace waylay::hook
