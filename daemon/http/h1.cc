#include "http/h1.h"

#include <algorithm>

#include "base/check.h"
#include "http/authority.h"
#include "http/chunked.h"
#include "http/head_scanner.h"

namespace waylay::http {

struct H1Reader::Impl {
  //   Head ──> None ─────────────────────> (End) ──> Head
  //     │└──> Fixed, Chunked ─────────────> (End) ──> Head
  //     ├───> UntilClose ──on_eof────────> (End) ──> Head, which nothing follows
  //     └───> Tunnel                  any ──> Failed
  enum class State { Head, None, Fixed, Chunked, UntilClose, Tunnel, Failed };

  Impl(Kind message_kind, Side whose) : kind(message_kind), side(whose), scanner(message_kind, whose) {}

  Event read_head();
  Event accept_head(std::string bytes);
  Event read_fixed();
  Event read_chunks();
  Event body(Bytes piece_raw, Bytes piece_payload);
  Event end(Bytes piece_raw);
  Event failed(Error why);
  Bytes take(size_t size);
  Result<BodyLength> length_of(const http::Head& message) const;

  Kind kind;
  Side side;
  State state = State::Head;
  Bytes input;          // borrowed; not used yet
  std::string started;  // a head that came in pieces, so far
  HeadScanner scanner;
  http::Head head;
  BodyLength length;
  uint64_t remaining = 0;  // of a fixed body
  ChunkedReader chunks;
  Trailers trailers;
  std::string request_method;  // of the request that the next response answers
  bool answer_expected = false, informational = false;
  Bytes raw, payload;
  Error error;
};

H1Reader::H1Reader(Kind kind, Side side) : impl_(std::make_unique<Impl>(kind, side)) {}
H1Reader::~H1Reader() = default;
H1Reader::H1Reader(H1Reader&&) noexcept = default;
H1Reader& H1Reader::operator=(H1Reader&&) noexcept = default;

void H1Reader::put(Bytes bytes) {
  impl_->input = bytes;
}

void H1Reader::answer_to(std::string_view request_method) {
  CHECK(impl_->kind == Kind::Response);
  impl_->request_method = request_method;
  impl_->answer_expected = true;
}

H1Reader::Event H1Reader::next() {
  Impl& self = *impl_;
  self.raw = self.payload = {};
  switch (self.state) {
    case Impl::State::Head:
      return self.read_head();
    case Impl::State::None:
      return self.end({});
    case Impl::State::Fixed:
      return self.read_fixed();
    case Impl::State::Chunked:
      return self.read_chunks();
    case Impl::State::UntilClose: {
      if (self.input.empty()) return Event::NeedMore;
      Bytes all = self.take(self.input.size());
      return self.body(all, all);
    }
    case Impl::State::Tunnel:
      return Event::Tunnel;
    case Impl::State::Failed:
      return Event::Failed;
  }
  return Event::Failed;
}

H1Reader::Event H1Reader::Impl::read_head() {
  if (input.empty()) return Event::NeedMore;
  Result<std::optional<size_t>> found = scanner.scan(input);
  if (!found) return failed(std::move(found).error());
  std::string_view piece = as_text(take(found->value_or(input.size())));
  if (!*found) {
    started.append(piece);
    return Event::NeedMore;
  }
  scanner.reset();
  if (started.empty()) return accept_head(std::string(piece));
  started.append(piece);
  return accept_head(std::exchange(started, {}));
}

H1Reader::Event H1Reader::Impl::accept_head(std::string bytes) {
  Result<http::Head> parsed = http::Head::parse(kind, std::move(bytes), side);
  if (!parsed) return failed(std::move(parsed).error());
  if (kind == Kind::Response && !answer_expected)
    return failed({ErrorKind::Protocol, side, "a response that no request asked for", 0});
  if (kind == Kind::Request) {
    if (Result<void> host = check_host(*parsed); !host) return failed(std::move(host).error());
  }
  Result<BodyLength> known = length_of(*parsed);
  if (!known) return failed(std::move(known).error());

  head = std::move(*parsed);
  length = *known;
  informational = kind == Kind::Response && head.status() / 100 == 1;
  trailers.clear();
  switch (length.type) {
    case BodyLength::Type::None:
      state = State::None;
      break;
    case BodyLength::Type::Fixed:
      state = State::Fixed;
      remaining = length.fixed;
      break;
    case BodyLength::Type::Chunked:
      state = State::Chunked;
      chunks.start(side);
      break;
    case BodyLength::Type::UntilClose:
      state = State::UntilClose;
      break;
    case BodyLength::Type::Tunnel:
      state = State::Tunnel;
      break;
  }
  return Event::Head;
}

Result<BodyLength> H1Reader::Impl::length_of(const http::Head& message) const {
  Result<BodyLength> known =
      kind == Kind::Request ? request_body_length(message) : response_body_length(request_method, message);
  if (known) return known;
  Error why = std::move(known).error();
  why.side = side;
  return fail(std::move(why));
}

H1Reader::Event H1Reader::Impl::read_fixed() {
  if (remaining == 0) return end({});
  if (input.empty()) return Event::NeedMore;
  Bytes piece = take(static_cast<size_t>(std::min<uint64_t>(remaining, input.size())));
  remaining -= piece.size();
  return body(piece, piece);
}

H1Reader::Event H1Reader::Impl::read_chunks() {
  if (input.empty()) return Event::NeedMore;
  Result<ChunkedReader::Piece> piece = chunks.read(input);
  if (!piece) return failed(std::move(piece).error());
  Bytes used = take(piece->used);
  if (!piece->complete) return body(used, piece->payload);
  trailers = std::move(chunks.trailers());
  return end(used);
}

H1Reader::Event H1Reader::Impl::body(Bytes piece_raw, Bytes piece_payload) {
  raw = piece_raw;
  payload = piece_payload;
  return Event::Body;
}

H1Reader::Event H1Reader::Impl::end(Bytes piece_raw) {
  raw = piece_raw;
  state = State::Head;
  if (!informational) answer_expected = false;
  return Event::End;
}

H1Reader::Event H1Reader::Impl::failed(Error why) {
  error = std::move(why);
  state = State::Failed;
  return Event::Failed;
}

Bytes H1Reader::Impl::take(size_t size) {
  Bytes taken = input.first(size);
  input = input.subspan(size);
  return taken;
}

H1Reader::Event H1Reader::on_eof() {
  Impl& self = *impl_;
  self.raw = self.payload = {};
  switch (self.state) {
    case Impl::State::Failed:
      return Event::Failed;
    case Impl::State::Tunnel:
      return Event::NeedMore;
    case Impl::State::UntilClose:
    case Impl::State::None:
      return self.end({});
    case Impl::State::Fixed:
      if (self.remaining == 0) return self.end({});
      break;
    case Impl::State::Head:
      if (between_messages()) return Event::NeedMore;
      break;
    case Impl::State::Chunked:
      break;
  }
  std::string_view what = self.kind == Kind::Request ? "request" : "response";
  return self.failed({ErrorKind::Truncated, self.side, "the stream ended within a " + std::string(what), 0});
}

Head& H1Reader::head() {
  return impl_->head;
}
const BodyLength& H1Reader::body_length() const {
  return impl_->length;
}
Bytes H1Reader::raw() const {
  return impl_->raw;
}
Bytes H1Reader::payload() const {
  return impl_->payload;
}
Bytes H1Reader::unread() const {
  return impl_->input;
}
const Trailers& H1Reader::trailers() const {
  return impl_->trailers;
}
const Error& H1Reader::error() const {
  return impl_->error;
}

bool H1Reader::between_messages() const {
  return impl_->state == Impl::State::Head && impl_->started.empty() && impl_->input.empty();
}

}  // namespace waylay::http
