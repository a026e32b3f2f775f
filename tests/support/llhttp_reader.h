// A second reader of heads, llhttp: what our own accepts must be the same fields to it, since whoever stands behind us
// may be like either.
#pragma once

#include <llhttp.h>

#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "http/message.h"

namespace waylay::http {

// What llhttp makes of a head's fields; whether it took all of it.
class LlhttpReader {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  explicit LlhttpReader(const Head& head) {
    llhttp_settings_t settings;
    llhttp_settings_init(&settings);
    settings.on_header_field = [](llhttp_t* parser, const char* at, size_t size) {
      self(parser).fields_.emplace_back(std::string(at, size), "");
      return 0;
    };
    settings.on_header_value = [](llhttp_t* parser, const char* at, size_t size) {
      if (self(parser).fields_.empty()) return -1;
      self(parser).fields_.back().second.append(at, size);
      return 0;
    };
    settings.on_headers_complete = [](llhttp_t* parser) {
      self(parser).complete_ = true;
      return static_cast<int>(HPE_PAUSED);
    };
    // It knows a fixed list of methods: a start line that it knows stands in for the real one.
    bool request = head.kind() == Kind::Request;
    std::string raw = request ? "POST / HTTP/1.1\r\n" : "HTTP/1.1 200 OK\r\n";
    raw.append(head.raw().substr(head.raw().find("\r\n") + 2));
    llhttp_t parser;
    llhttp_init(&parser, request ? HTTP_REQUEST : HTTP_RESPONSE, &settings);
    parser.data = this;
    llhttp_execute(&parser, raw.data(), raw.size());
    complete_ = complete_ && llhttp_get_error_pos(&parser) == raw.data() + raw.size();
  }

  bool reads_like(const Head& head) const {
    if (!complete_ || fields_.size() != head.field_count()) return false;
    for (size_t i = 0; i < fields_.size(); ++i) {
      HeaderField field = head.field(i);
      if (fields_[i].first != field.name || trim(fields_[i].second) != field.value) return false;
    }
    return true;
  }

 private:
  static LlhttpReader& self(llhttp_t* parser) { return *static_cast<LlhttpReader*>(parser->data); }

  Fields fields_;
  bool complete_ = false;
};

}  // namespace waylay::http
