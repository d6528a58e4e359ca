# The compiler: C and C++, threads, shared libraries, archives.
cd /tmp
cat > t.c <<'END'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER; static long total; static __thread long own;
static void *run(void *p) { for (int i = 0; i < 10000; i++) { own++; pthread_mutex_lock(&m); total++; pthread_mutex_unlock(&m); } return (void *)own; }
int main(int c, char **v) {
  pthread_t t[8]; long sum = 0; void *r;
  for (int i = 0; i < 8; i++) pthread_create(&t[i], 0, run, 0);
  for (int i = 0; i < 8; i++) { pthread_join(t[i], &r); sum += (long)r; }
  printf("%ld %ld %d\n", total, sum, c); fflush(stdout);
  pid_t p = fork(); if (!p) { char *x = malloc(1 << 20); memset(x, 7, 1 << 20); _exit(x[12345]); }
  int s; waitpid(p, &s, 0); printf("child %d\n", WEXITSTATUS(s)); return 5; }
END
gcc -O2 -Wall -pthread -o t t.c && ./t a b; echo $?; gcc -static -O1 -pthread -o ts t.c && ./ts; echo $?
cat > l.c <<'END'
int twice(int x) { return 2 * x; }
END
cat > u.cc <<'END'
#include <algorithm>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
extern "C" int twice(int);
int main() {
  std::map<std::string, int> m{{"one", 1}, {"two", 2}}; std::vector<int> v(1000); for (int i = 0; i < 1000; i++) v[i] = (i * 7919) % 1000; std::sort(v.begin(), v.end());
  try { throw std::runtime_error("thrown"); } catch (const std::exception &e) { std::cout << e.what() << '\n'; }
  std::thread t([&] { m["three"] = twice(21); }); t.join(); std::cout << v[500] << ' ' << m["three"] << ' ' << m.size() << std::endl; }
END
gcc -fPIC -shared -o libl.so l.c && g++ -O1 -o u u.cc -L. -ll -Wl,-rpath,/tmp -pthread && ./u; echo $?; ldd u | awk '!/vdso/ { print $1 }' | sort
gcc -c l.c && ar rcs libl2.a l.o && nm libl2.a | grep -c twice; objdump -d l.o | grep -c ret; strip t && ./t; size l.o | wc -l; gcc -E -dM - < /dev/null | grep -c __x86_64__; echo 'int main(void){return x;}' | gcc -x c - 2>&1 | grep -c undeclared
