namespace Moat.Sandbox.Tests;

/// <summary>Changes to the host's files from inside a sandbox: they look as on Linux, and never reach the host.</summary>
public sealed class OverlayTests : IDisposable
{
    private const string Prepare = """
        cd "$1"; mkdir -p d/sub e; echo lower > f; echo two > d/g; ln f h; ln -s f l; head -c 300000 /dev/zero | tr '\0' x > big; chmod 640 f; touch -d 2001-02-03 big d e f; mkfifo p; echo x > d/sub/deep
        """;

    private const string Change = """
        cd "$1"
        stat -c '%n %a %s %F %Y' f big; i1=$(stat -c %i big)
        exec 3<big; echo more >> big; test $(stat -c %i big) = $i1 && echo same-ino; tail -c5 <&3; wc -c < big; exec 3<&-
        chmod 600 d/g; stat -c '%n %a' d/g; stat -c '%Y' d
        rm f; test -e f || echo gone; ls; cat l 2>/dev/null || echo dangling; echo new > f; cat f l
        rmdir d 2>/dev/null || echo notempty; rmdir e && test ! -e e && echo removed; mkdir e && ls -A e
        mv d d2; ls d2 d2/sub; cat d2/sub/deep; echo y >> d2/sub/deep; mkdir d; ls -A d; rm -r d2; ls -A
        echo t > big; cat big; truncate -s 3 big; wc -c <big; ln big big2; stat -c %h big big2; mv big2 d/; ls d
        echo a >x; echo b >y; mv -T x y; cat y; mkdir q; touch q/1; mv q d/q; find . | sort
        (echo via > p &) ; cat p
        cp -a /usr/include/linux ./linux; diff -r /usr/include/linux linux && echo same; rm -rf linux; ls
        chmod 700 l 2>/dev/null; touch -d 2005-01-01 h; stat -c %Y h; exec 4>tmp; rm tmp; echo z >&4; cat /proc/self/fd/4; 
        exec 5<h; rm h; cat <&5; stat -L -c %h /proc/self/fd/5
        """;

    private readonly string _folder = TestRun.MakeSeenFolder("overlay");

    [Fact]
    public void ChangesOfLowerFiles_LookAsOnLinux_AndStayInside()
    {
        Assert.Equal(0, Runsc.Execute(["/bin/bash", "-c", Prepare, "bash", _folder]).ExitCode);
        string before = Fingerprint();
        CommandResult sandboxed = Runsc.Do("/bin/bash", "-c", Change, "bash", _folder);
        Assert.Equal(before, Fingerprint());
        CommandResult native = Runsc.Execute(["unshare", "-pf", "--mount-proc", "/bin/bash", "-c", Change, "bash", _folder]);
        Assert.Equal(native.Output, sandboxed.Output);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Fingerprint() => Runsc.Execute(["/bin/bash", "-c", "cd \"$1\" && find . -printf '%p %y %m %s %T@\\n' | sort && find . -type f | sort | xargs sha1sum", "bash", _folder]).Output;
}
