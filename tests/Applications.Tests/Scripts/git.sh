# git over a few hundred files: history, clone, garbage collection, check.
export GIT_AUTHOR_DATE='2024-01-02T03:04:05Z' GIT_COMMITTER_DATE='2024-01-02T03:04:05Z' GIT_CONFIG_NOSYSTEM=1
cd /tmp && git config --global user.name Moat && git config --global user.email moat@example.com && git config --global init.defaultBranch main && git config --global advice.detachedHead false
git init -q r && cd r && mkdir -p d/{a,b,c}; for i in $(seq 300); do echo "line $i" > d/$(cut -c$(( i % 3 + 1 )) <<< abc)/f$i; done
git add . && git commit -qm first && git rev-parse HEAD; git status --short | wc -l; git ls-files | wc -l
for i in 1 2 3; do echo "change $i" >> d/a/f3; git commit -qam "change $i"; done; git log --oneline | cat; git diff HEAD~2 --stat | cat
git checkout -qb side HEAD~1 && echo side > s && git add s && git commit -qm side && git checkout -q main && git merge -q -m merged side && git log --graph --oneline | wc -l
git mv s t && git rm -q d/a/f300 2>/dev/null; git commit -qam moved; git show --stat HEAD | tail -2; git tag -a v1 -m v1; git stash list | wc -l; echo dirty >> t; git stash -q; git status --short | wc -l; git stash pop -q; git checkout -q t
git gc -q && git fsck --full 2>&1 | grep -v '^dangling' | wc -l; git count-objects -v | grep -E '^(in-pack|packs):'; cd .. && git clone -q r c && git -C c log -1 --format=%H && diff -r --exclude=.git r c; echo $?
git -C c grep -c 'line 7' | wc -l; git -C c blame d/a/f3 2>/dev/null | wc -l; git -C r archive HEAD | sha256sum; git -C c bisect start -q HEAD v1~3 >/dev/null 2>&1; git -C c bisect reset >/dev/null 2>&1; git -C c worktree add -q ../w && ls w | wc -l; git -C r bundle create -q ../b main && git -C r bundle verify -q ../b && echo bundle
