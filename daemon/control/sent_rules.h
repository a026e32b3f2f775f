// The rules in a request's body: one document, or several files with names of their own,
//
//     {"files": [{"name": "a.json", "text": "..."}, ...]}
//
// which are taken all or none; errors name the file, and the place in its text.
#pragma once

#include <string>
#include <vector>

#include "control/request.h"
#include "rules/rule_book.h"

namespace waylay::control {

class SentRules {
 public:
  // The parameter origin names a single document in errors. Borrows the request.
  explicit SentRules(const Request& request);

  std::vector<rules::Document> documents() const;

 private:
  struct File {
    std::string name, text;
  };
  const Request& request_;
  std::vector<File> files_;  // empty: the body is one document
  std::string origin_;
};

}  // namespace waylay::control
