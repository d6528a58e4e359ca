namespace Moat.Sandbox.Tests.Confinement;

/// <summary>Standard streams belong to others as well: a sandbox uses them as any command does.</summary>
public sealed class StandardStreamTests : IDisposable
{
    private readonly string _folder = TestRun.MakeSeenFolder("streams");

    public static TheoryData<string> Scripts =>
    [
        "(echo a; $RUN echo b; echo c) > f; cat f",
        "echo first > f; (echo a; $RUN echo b; echo c) >> f; cat f",
        "(echo a; $RUN sh -c 'echo b; echo err >&2'; echo c) > f 2>&1; cat f",
        "printf 'one\\ntwo\\nthree\\n' > f; (head -c0; $RUN head -c4; cat) < f",
        "printf 'one\\ntwo\\nthree\\n' > f; ($RUN sh -c 'read x; echo got $x'; cat) < f",
        "printf 'one\\ntwo\\n' | ($RUN sh -c 'read x; echo got $x'; cat)",
        "$RUN yes | head -n 1",
        "$RUN sh -c 'yes; echo $? >&2' 2>e | head -n 1; tail -n 1 e",
        "$RUN sh -c 'trap \"\" PIPE; yes 2>/dev/null; echo $?' 2>&1 >/dev/full; echo $?",
        "echo in | $RUN cat",
        "$RUN cat < /dev/null; echo $?",
        "$RUN cat <&-; echo $?",
        "$RUN echo x >&-; echo $?",
        "$RUN sh -c 'echo x >&2; echo out' 2>&-; echo $?",
        "$RUN echo x > /dev/full; echo $?",
        "seq 3 > f; $RUN sh -c 'read a; head -c0; cat' < f > g; cat g; head -c 2000 /dev/zero | $RUN dd bs=500 count=2 2>/dev/null | wc -c",
        "seq 1000 > f; $RUN tail -c 10 < f; $RUN tac f | tail -1; $RUN sh -c 'truncate -s 3 /proc/self/fd/1; echo xyz' >> f; wc -c < f",
        "echo abcdef > f; exec 5<> f; $RUN sh -c 'head -c2; echo ZZ >&0' <&5; exec 5>&-; cat f",
        "head -c 3000000 /dev/zero | $RUN cat | wc -c",
        "$RUN head -c 3000000 /dev/zero > f; wc -c < f",
        "head -c 2000000 /dev/zero > f; $RUN wc -c < f",
        "mkfifo p; ($RUN cat > out < p) & echo via > p; wait; cat out",
        "sleep 0.2 | $RUN cat; echo $?",
        "python3 -c 'import socket,subprocess,os; a,b=socket.socketpair(); b.sendall(b\"over a socket\"); b.shutdown(1); p=subprocess.Popen(os.environ[\"RUN\"].split()+[\"cat\"],stdin=a,stdout=a); a.close(); p.wait(); print(b.recv(99))'",
        "python3 -c 'import os,fcntl,subprocess; r,w=os.pipe(); r2,w2=os.pipe(); os.write(w,b\"x\"); os.close(w); subprocess.run(os.environ[\"RUN\"].split()+[\"cat\"],stdin=r,stdout=w2); print([fcntl.fcntl(f,fcntl.F_GETFL)&os.O_NONBLOCK for f in (r,w2)], os.read(r2,9))'",
        "python3 -c 'import os,fcntl,subprocess; r,w=os.pipe(); fcntl.fcntl(w,fcntl.F_SETFL,os.O_NONBLOCK|os.O_WRONLY); p=subprocess.Popen(os.environ[\"RUN\"].split()+[\"cat\"],stdin=r); os.close(r); os.write(w,b\"ends\"); os.close(w); print(p.wait())'",
    ];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Scripts))]
    public void Script_DoesTheSameWithAndWithoutASandbox(string script)
    {
        CommandResult native = Run(script, "unshare -pf --mount-proc");
        CommandResult sandboxed = Run(script, $"{Runsc.Executable} do");
        Assert.Equal((native.ExitCode, native.Output), (sandboxed.ExitCode, sandboxed.Output));
    }

    [Fact]
    public void DescriptorsOfTheCaller_DoNotReachTheSandbox()
    {
        CommandResult result = Run("exec 7< /etc/passwd 8> g; $RUN sh -c 'ls /proc/self/fd | sort -n | tr \"\\n\" \" \"'", $"{Runsc.Executable} do");
        Assert.Equal("0 1 2 3 ", result.Output);
    }

    [Fact]
    public void OutputThatTheSandboxCloses_EndsForItsReader()
    {
        CommandResult result = Run("($RUN sh -c 'echo up; exec >&- 2>&-; exec sleep 10000' & echo $! > pid) 2>/dev/null | cat; kill -9 $(cat pid) && echo killed", $"{Runsc.Executable} do");
        Assert.Equal("up\nkilled\n", result.Output);
    }

    private CommandResult Run(string script, string run)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, Guid.NewGuid().ToString("N"))).FullName;
        return Runsc.Execute(["env", "--default-signal", "/bin/bash", "-c", $"cd {folder}; export RUN='{run}'; {script}"]);
    }
}
