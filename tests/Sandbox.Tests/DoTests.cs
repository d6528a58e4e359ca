namespace Moat.Sandbox.Tests;

/// <summary><c>runsc do</c>: what a user sees of a sandboxed command.</summary>
public sealed class DoTests
{
    private static readonly string[] s_sameAsLinux =
    [
        "echo hello",
        "printf '%s\\n' a b c | sort -r | head -2",
        "exit 7",
        "kill -9 $$",
        "kill -TERM $$",
        "trap 'echo caught' USR1; kill -USR1 $$; echo after",
        "for i in 1 2 3 4 5; do /bin/true || echo bad; done; echo done",
        "(exit 3); echo $?",
        "cat /etc/passwd | md5sum",
        "ls /usr/bin | wc -l",
        "find /usr/share/doc -type f | wc -l",
        "cd /tmp && mkdir moat-x.$$ && cd moat-x.$$ && echo data > f && cat f && mv f g && ls && ln -s g l && readlink l && cat l && rm g l && cd .. && rmdir moat-x.$$",
        "sleep 0.05 & wait $!; echo $?",
        "(sleep 5 & echo $! > /dev/null; kill $!; wait $! 2>/dev/null; echo $?)",
        "head -c 100000 /dev/zero | wc -c",
        "head -c 1000000 /dev/urandom | wc -c",
        "echo abc > /dev/null; echo $?",
        "readlink /proc/self/fd/0 > /dev/null; echo ok",
        "umask 027; umask",
        "test -x /bin/sh && test -d /etc && test ! -e /nonexistent && echo ok",
        "yes | head -n 1000 | tail -n 1",
        "set -- a b c; echo $# $3",
        "true | false | true; echo ${PIPESTATUS[@]}",
        "exec 3< /etc/hostname; read -r x <&3; test -n \"$x\"; echo $?",
        "diff <(echo a) <(echo b) > /dev/null; echo $?",
        "echo $(( $(date +%s) > 1700000000 ))",
        "type python3 > /dev/null 2>&1 || exit 0; python3 -c 'print(sum(i*i for i in range(1000)))'",
        "perl -e 'print join(\",\", map { $_ * 2 } 1..5), \"\\n\"'",
        "tar cf - /usr/include/linux 2>/dev/null | md5sum",
        "mkdir /tmp/moat-t.$$ && tar cf - -C /usr/include linux | tar xf - -C /tmp/moat-t.$$ && diff -r /usr/include/linux /tmp/moat-t.$$/linux && echo same; rm -rf /tmp/moat-t.$$",
        "busybox cat /etc/passwd | busybox sha256sum",
        "cd /tmp && mkfifo moat-f.$$ && (echo through > moat-f.$$ &) && cat moat-f.$$ && rm moat-f.$$",
        "set -m; sleep 1000 & kill -STOP %1; until [[ $(jobs) == *Stopped* ]]; do sleep 0.05; done; jobs | tr -s ' ' | cut -d' ' -f2; kill -9 %1; wait; true",
        "python3 -c 'import threading; l=[]; t=[threading.Thread(target=l.append, args=(i,)) for i in range(8)]; [x.start() for x in t]; [x.join() for x in t]; print(sorted(l))'",
        "python3 -c 'import subprocess; print(subprocess.check_output([\"echo\", \"from a child\"]))'",
        "python3 -c 'import os,mmap; m=mmap.mmap(-1, 4096); p=os.fork(); (m.write(b\"child\"), os._exit(0)) if p == 0 else os.waitpid(p,0); print(m[:5])'",
        "python3 -c 'import signal,os; signal.signal(signal.SIGALRM, lambda s,f: print(\"sig\", s)); os.kill(os.getpid(), signal.SIGALRM); print(\"end\")'",
        "python3 -c 'import select,os; e=select.epoll(); r,w=os.pipe(); e.register(r, select.EPOLLIN); print(e.poll(0)); os.write(w,b\"x\"); print(e.poll(1) == [(r,1)])'",
        "gcc -x c -o /tmp/moat-c.$$ - <<< 'int puts(const char*); int main(void){ puts(\"compiled\"); return 5; }' && /tmp/moat-c.$$; echo $?; rm -f /tmp/moat-c.$$",
    ];

    public static TheoryData<string, string> SameAsLinuxOnEachPlatform
    {
        get
        {
            TheoryData<string, string> rows = [];
            foreach (string platform in Runsc.Platforms)
            {
                foreach (string script in s_sameAsLinux)
                {
                    rows.Add(platform, script);
                }
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(SameAsLinuxOnEachPlatform))]
    public void Shell_DoesTheSameAsOnLinux(string platform, string script)
    {
        CommandResult native = Runsc.Execute(["unshare", "-pf", "--mount-proc", "/bin/bash", "-c", script]); // pid 1 there too
        CommandResult sandboxed = Runsc.DoOn(platform, "/bin/bash", "-c", script);
        Assert.True(
            (native.ExitCode, native.Output) == (sandboxed.ExitCode, sandboxed.Output),
            $"on Linux: {native.ExitCode}, {native.Output}{native.Error}\nin the sandbox: {sandboxed.ExitCode}, {sandboxed.Output}{sandboxed.Error}");
    }

    [Fact]
    public void Niceness_IsTheCallers()
    {
        CommandResult native = Runsc.Execute(["/bin/busybox", "nice", "-n", "3", "/bin/busybox", "nice"]);
        CommandResult result = Runsc.Execute(["/bin/busybox", "nice", "-n", "3", Runsc.Executable, "do", "/bin/busybox", "nice"]);
        Assert.Equal((native.ExitCode, native.Output), (result.ExitCode, result.Output));
    }

    [Fact]
    public void Uname_IsTheSandboxsKernel()
    {
        CommandResult result = Runsc.Do("/bin/busybox", "uname", "-r");
        Assert.EndsWith("-moat\n", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Ps_ShowsOnlyTheSandbox()
    {
        string[] lines = Runsc.Do("/bin/busybox", "ps").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.StartsWith("    1 root", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Root_TakesChanges_ThatNeverReachTheHost()
    {
        CommandResult result = Runsc.Do("/bin/sh", "-c", "echo inside > /etc/moat-must-not-exist && cat /etc/moat-must-not-exist");
        Assert.Equal((0, "inside\n"), (result.ExitCode, result.Output));
        Assert.False(File.Exists("/etc/moat-must-not-exist"));
    }

    [Fact]
    public void Output_IsSharedHonestlyWithOthers()
    {
        string file = Path.GetTempFileName();
        try
        {
            Runsc.Execute(["/bin/bash", "-c", $"(echo a; {Runsc.Executable} do /bin/busybox echo b; echo c) > {file}"]);
            Assert.Equal("a\nb\nc\n", File.ReadAllText(file));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void FilesOfTheHost_AreCopiedOnce_AtTheirOwnOffsets()
    {
        string folder = TestRun.MakeFolder("copy");
        try
        {
            byte[] text = new byte[200_001];
            new Random(1).NextBytes(text);
            File.WriteAllBytes($"{folder}/from", text);
            Assert.Equal(0, Runsc.Execute(["/bin/busybox", "sh", "-c", $"exec 3< {folder}/from; dd bs=5 count=1 <&3 2> /dev/null > {folder}/to; {Runsc.Executable} do /bin/busybox cat <&3 >> {folder}/to"]).ExitCode);
            Assert.True(text.AsSpan().SequenceEqual(File.ReadAllBytes($"{folder}/to")));
            Assert.Equal(0, Runsc.Execute(["/bin/busybox", "sh", "-c", $"{Runsc.Executable} do /bin/busybox cat < {folder}/from > {folder}/again"]).ExitCode);
            Assert.True(text.AsSpan().SequenceEqual(File.ReadAllBytes($"{folder}/again")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Input_ComesFromThePipe()
    {
        CommandResult result = Runsc.Execute([Runsc.Executable, "do", "/bin/busybox", "tr", "a-z", "A-Z"], "moat\n");
        Assert.Equal("MOAT\n", result.Output);
    }

    [Fact]
    public void MissingCommand_IsOneLineAnd127()
    {
        CommandResult result = Runsc.Do("/no/such/program");
        Assert.Equal(127, result.ExitCode);
        Assert.Equal("runsc: exec: \"/no/such/program\": stat /no/such/program: no such file or directory\n", result.Error);
    }

    [Theory]
    [InlineData("-no-such-flag", "flag provided but not defined: -no-such-flag")]
    [InlineData("-debug=maybe", "invalid boolean value \"maybe\" for flag -debug")]
    public void BadFlag_IsOneLineAnd128(string flag, string message)
    {
        CommandResult result = Runsc.Execute([Runsc.Executable, flag, "do", "/bin/true"]);
        Assert.Equal(128, result.ExitCode);
        Assert.Equal($"runsc: {message}\n", result.Error);
    }

    [Fact]
    public void Strace_PrintsCallsLikeStrace()
    {
        string log = Path.GetTempFileName();
        try
        {
            Assert.Equal(0, Runsc.Execute([Runsc.Executable, "-strace", $"-debug-log={log}", "do", "/bin/busybox", "cat", "/etc/hostname"]).ExitCode);
            string text = File.ReadAllText(log);
            Assert.Matches("busybox open(at)?\\((AT_FDCWD, )?\"/etc/hostname\", O_RDONLY.*\\) = 3 <0\\.", text);
            Assert.Contains("exit_group(0) = ?", text, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(log);
        }
    }

    [Fact]
    public void Sandboxes_LeaveNoProcessBehind()
    {
        string script = $"for i in 1 2 3 4 5 6 7 8 9 10; do {Runsc.Executable} do /bin/bash -c 'sleep 100 & true' || exit; done; echo $$";
        CommandResult result = Runsc.Execute(["setsid", "--wait", "/bin/bash", "-c", script]);
        Assert.Equal(0, result.ExitCode);

        Patience.Await(() => CountOfSession(result.Output.Trim()) == 0, "the burial of what was killed");
    }

    private static int CountOfSession(string session) => Directory.GetDirectories("/proc").Count(folder =>
    {
        try
        {
            string stat = File.ReadAllText(Path.Combine(folder, "stat"));
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[3] == session;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false; // not a process, or one that has just gone
        }
    });
}
