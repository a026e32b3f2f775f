#include <csignal>
#include <iostream>

#include "cli/session.h"

int main(int count, char** values) {
  std::ios::sync_with_stdio(false);
  std::vector<std::string> words(values + 1, values + count);
  return waylay::cli::run_tool(words, std::cout, std::cerr);
}
