# make with two jobs, dependencies, and the second run that has nothing to do.
mkdir -p /tmp/m && cd /tmp/m
for i in 1 2 3 4 5 6; do printf 'int f%d(int x) { return x + %d; }\n' $i $i > f$i.c; done
{ for i in 1 2 3 4 5 6; do echo "int f$i(int);"; done; echo '#include <stdio.h>'; echo 'int main(void) { printf("%d\n", f1(f2(f3(f4(f5(f6(0))))))); }'; } > main.c
printf 'OBJ := $(patsubst %%.c,%%.o,$(wildcard *.c))\nall: prog\nprog: $(OBJ)\n\t@$(CC) -o $@ $^\n%%.o: %%.c\n\t@$(CC) -O1 -c -o $@ $<\nclean:\n\t@rm -f prog *.o\n' > Makefile
make -j2 && ./prog && make -q && echo current; touch f3.c; make -n | grep -c f3.o; make && ./prog; make clean; ls; make nothing 2>&1 | head -1; echo 'all: ; @exit 3' | make -f - 2>/dev/null; echo $?
