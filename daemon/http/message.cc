#include "http/message.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "http/characters.h"

namespace waylay::http {
namespace {

std::string three_digits(int status) {
  CHECK(status >= 100 && status <= 999);
  return std::to_string(status);
}

uint32_t narrow(size_t value) {
  return static_cast<uint32_t>(value);
}

}  // namespace

// Finishes a start line that is all of raw_.
void Head::start(Kind kind, size_t first_space, size_t second_space) {
  kind_ = kind;
  first_space_ = narrow(first_space);
  second_space_ = narrow(second_space);
  raw_.append("\r\n\r\n");
  start_line_size_ = narrow(raw_.size() - 2);
}

Head Head::request(std::string_view method, std::string_view target) {
  CHECK(valid_field_name(method) && valid_target(target));
  Head head;
  head.raw_.append(method).append(" ").append(target).append(" HTTP/1.1");
  head.start(Kind::Request, method.size(), method.size() + 1 + target.size());
  return head;
}

Head Head::response(int status, std::string_view reason) {
  CHECK(valid_field_value(reason));
  Head head;
  head.status_ = status;
  head.raw_.append("HTTP/1.1 ").append(three_digits(status)).append(" ").append(reason);
  head.start(Kind::Response, 8, 12);
  return head;
}

Head Head::http2_request(std::string_view method, std::string_view target) {
  CHECK(valid_field_name(method) && valid_target(target));
  Head head;
  head.raw_.reserve(method.size() + target.size() + 256);
  head.raw_.append(method).append(" ").append(target).append(" HTTP/2");
  head.start(Kind::Request, method.size(), method.size() + 1 + target.size());
  return head;
}

Head Head::http2_response(int status) {
  Head head;
  head.status_ = status;
  head.raw_.reserve(256);
  head.raw_.append("HTTP/2 ").append(three_digits(status));
  head.start(Kind::Response, 6, 10);
  return head;
}

std::string_view Head::version() const {
  return kind_ == Kind::Response ? text(0, first_space_)
                                 : text(second_space_ + 1, start_line_size_ - second_space_ - 3);
}

std::string_view Head::method() const {
  return kind_ == Kind::Request ? text(0, first_space_) : std::string_view();
}

std::string_view Head::target() const {
  if (kind_ != Kind::Request) return {};
  return text(first_space_ + 1, second_space_ - first_space_ - 1);
}

std::string_view Head::reason() const {
  size_t line_end = start_line_size_ - 2;
  if (kind_ != Kind::Response || second_space_ >= line_end) return {};
  return text(second_space_ + 1, line_end - second_space_ - 1);
}

void Head::set_status(int status) {
  CHECK(kind_ == Kind::Response);
  raw_.replace(first_space_ + 1, 3, three_digits(status));
  status_ = status;
}

void Head::set_reason(std::string_view reason) {
  CHECK(kind_ == Kind::Response && valid_field_value(reason));
  size_t old_size = start_line_size_ - 2 - second_space_;
  splice(second_space_, old_size, " " + std::string(reason), 0);
  start_line_size_ = narrow(second_space_ + 1 + reason.size() + 2);
}

void Head::set_target(std::string_view new_target) {
  CHECK(kind_ == Kind::Request && valid_target(new_target));
  size_t old_size = target().size();
  splice(first_space_ + 1, old_size, new_target, 0);
  second_space_ = narrow(first_space_ + 1 + new_target.size());
  start_line_size_ = narrow(start_line_size_ - old_size + new_target.size());
}

std::optional<std::string_view> Head::find(std::string_view name) const {
  for (const Line& line : lines_)
    if (equals_ignoring_case(name_of(line), name)) return value_of(line);
  return std::nullopt;
}

void Head::set(std::string_view name, std::string_view value) {
  CHECK(valid_field_value(value));
  bool replaced = false;
  for (size_t i = 0; i < lines_.size();) {
    if (!equals_ignoring_case(field(i).name, name)) {
      ++i;
    } else if (replaced) {
      remove_line(i);
    } else {
      Line& line = lines_[i];
      splice(line.value_begin, line.value_size, value, i + 1);
      line.end = narrow(line.end - line.value_size + value.size());
      line.value_size = narrow(value.size());
      replaced = true;
      ++i;
    }
  }
  if (!replaced) add(name, value);
}

void Head::add(std::string_view name, std::string_view value) {
  CHECK(valid_field_name(name) && valid_field_value(value));
  raw_.resize(raw_.size() - 2);  // the empty line comes again behind the new one
  size_t begin = raw_.size();
  raw_.append(name).append(": ").append(value).append("\r\n\r\n");
  lines_.push_back({narrow(begin), narrow(name.size()), narrow(begin + name.size() + 2), narrow(value.size()),
                    narrow(raw_.size() - 2)});
  names_ |= bit_of(name);
  underscored_ |= name.find('_') != std::string_view::npos;
}

void Head::extend_last(std::string_view more) {
  CHECK(!lines_.empty() && valid_field_value(more));
  Line& line = lines_.back();
  size_t behind_value = line.value_begin + line.value_size;
  raw_.insert(behind_value, more);
  line.value_size = narrow(line.value_size + more.size());
  line.end = narrow(line.end + more.size());
}

void Head::reserve(size_t bytes, size_t fields) {
  raw_.reserve(raw_.size() + bytes);
  lines_.reserve(lines_.size() + fields);
}

size_t Head::remove(std::string_view name) {
  if (!may_have(name)) return 0;
  size_t before = lines_.size();
  for (size_t i = lines_.size(); i-- > 0;) {
    if (equals_ignoring_case(field(i).name, name)) remove_line(i);
  }
  return before - lines_.size();
}

void Head::remove_line(size_t index) {
  Line line = lines_[index];
  splice(line.begin, line.end - line.begin, {}, index + 1);
  lines_.erase(lines_.begin() + static_cast<ptrdiff_t>(index));
}

// Replaces bytes and moves the lines behind them.
void Head::splice(size_t position, size_t old_size, std::string_view replacement, size_t first_line_behind) {
  size_t new_size = replacement.size();
  raw_.replace(position, old_size, replacement);
  for (size_t i = first_line_behind; i < lines_.size(); ++i) {
    Line& line = lines_[i];
    for (uint32_t* offset : {&line.begin, &line.value_begin, &line.end})
      *offset = narrow(*offset - old_size + new_size);
  }
}

bool valid_field_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), is_token);
}

bool valid_field_value(std::string_view value) {
  return all_are(value, is_field_text);
}

bool valid_target(std::string_view target) {
  return !target.empty() && all_are(target, [](char c) { return c != ' ' && c != '\t' && is_field_text(c); });
}

std::string request_host(const Head& request) {
  std::string_view target = request.target();
  std::string_view authority;
  bool has_authority = !target.starts_with('/');
  if (size_t scheme = has_authority ? target.find("://") : std::string_view::npos; scheme != std::string_view::npos) {
    authority = target.substr(scheme + 3);
    authority = authority.substr(0, authority.find_first_of("/?#"));
  } else if (has_authority && request.method() == "CONNECT") {  // an extended one has a path (RFC 8441)
    authority = target;
  } else {
    authority = request.first("host").value_or("");
  }
  if (size_t at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
  if (authority.starts_with('[')) return to_lower(authority.substr(1, authority.find(']') - 1));
  return to_lower(authority.substr(0, authority.find(':')));
}

}  // namespace waylay::http
