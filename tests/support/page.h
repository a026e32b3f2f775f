// A page of docs/ whose tables are made from the code's own: what stands between
//
//     <!-- begin NAME (made from the code: WAYLAY_WRITE_DOCS=1) -->
//     <!-- end NAME -->
//
// is written by a test. The test fails when the page is stale; run with WAYLAY_WRITE_DOCS=1 it brings it up to date.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace waylay {

class Page {
 public:
  // `name`: below docs/.
  explicit Page(const std::string& name) : path_(WAYLAY_SOURCE_DIR "/docs/" + name) {
    std::ifstream file(path_);
    std::stringstream text;
    text << file.rdbuf();
    text_ = text.str();
  }

  const std::string& text() const { return text_; }

  void expect_section(const std::string& name, const std::string& wanted) {
    std::string begin = "<!-- begin " + name + " (made from the code: WAYLAY_WRITE_DOCS=1) -->\n";
    std::string end = "<!-- end " + name + " -->\n";
    size_t from = text_.find(begin), to = text_.find(end);
    ASSERT_TRUE(from != std::string::npos && to != std::string::npos && from < to)
        << path_ << " has no section " << name;
    from += begin.size();
    if (text_.compare(from, to - from, wanted) == 0) return;
    if (std::getenv("WAYLAY_WRITE_DOCS")) return write(text_.substr(0, from) + wanted + text_.substr(to));
    ADD_FAILURE() << path_ << ", section " << name << ", is stale: run this test with WAYLAY_WRITE_DOCS=1\n" << wanted;
  }

 private:
  void write(const std::string& text) {
    text_ = text;
    std::ofstream(path_) << text_;
  }

  std::string path_, text_;
};

}  // namespace waylay
