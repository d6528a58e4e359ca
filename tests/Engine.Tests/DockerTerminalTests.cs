using System.Globalization;

namespace Moat.Engine.Tests;

/// <summary>Containers with a terminal, as somebody at docker's command line sees them: keys, job control, window sizes, ends.</summary>
[Collection(DockerDaemon.Collection)]
public sealed class DockerTerminalTests : IDisposable
{
    private const string Name = "on-a-terminal";

    // The image has only busybox: bash comes from the host, with its libraries.
    private const string Bash = "-v /bin/bash:/bin/bash:ro -v /lib64:/lib64:ro -v /lib/x86_64-linux-gnu:/lib/x86_64-linux-gnu:ro";

    private readonly DockerDaemon _daemon;
    private readonly TmuxSession _tmux = new();

    public DockerTerminalTests(DockerDaemon daemon)
    {
        ArgumentNullException.ThrowIfNull(daemon);
        _daemon = daemon;
        _tmux.Line($"export DOCKER_HOST=unix://{daemon.Folder}/socket; clear");
        _tmux.ExpectLast("host$");
    }

    public void Dispose()
    {
        _tmux.Dispose();
        _daemon.Docker("rm", "-f", Name);
    }

    [Theory]
    [InlineData("sh")]
    [InlineData("bash")]
    public void Run_GivesAControllingTerminal_OfTheUsersSize(string shell)
    {
        RunShell(shell);
        AwaitSize();
        string screen = Ask("tty; stty size; echo to the terminal > /dev/tty; ls -l /dev/console | cut -c1; test -t 0 && test -t 1 && test -t 2 && echo 'al''l three'", "all three");
        Assert.Contains("\n/dev/pts/0\n24 80\nto the terminal\nc\nall three\n", screen, StringComparison.Ordinal);
        Assert.DoesNotContain("job control turned off", screen, StringComparison.Ordinal);
        Assert.DoesNotContain("no job control", screen, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sh")]
    [InlineData("bash")]
    public void Interrupt_EndsTheForegroundJob_AndTheShellLives(string shell)
    {
        RunShell(shell);
        CheckInterrupt();
    }

    [Theory]
    [InlineData("sh")]
    [InlineData("bash")]
    public void Suspend_StopsAJob_ThatGoesOnInTheForegroundOrBackground(string shell)
    {
        RunShell(shell);
        CheckSuspend();
        _tmux.Line("sh -c 'echo begun; sleep 1; echo fini''shed'");
        _tmux.Expect("\nbegun");
        _tmux.Key("C-z");
        _tmux.Expect("Stopped");
        _tmux.ExpectLast("in$");
        _tmux.Line("bg; wait");
        _tmux.Expect("finished");
        _tmux.ExpectLast("in$");
        Ask("jobs > /tmp/jobs; echo jobs''=$(wc -l < /tmp/jobs)", "jobs=0");
    }

    [Theory]
    [InlineData("sh")]
    [InlineData("bash")]
    public void Resize_IsSeen_AndToldByASignal(string shell)
    {
        RunShell(shell);
        CheckResize();
    }

    [Theory]
    [InlineData("sh")]
    [InlineData("bash")]
    public void EndOfFile_EndsTheContainer_WithTheShellsStatus(string shell)
    {
        RunShell(shell);
        Ask("echo las''ting; sh -c 'exit 5'", "lasting");
        _tmux.Key("C-d");
        ExpectStatus(5);
        Assert.Equal("exited 5", _daemon.Must("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", Name));
    }

    [Fact]
    public void Settings_AreThePrograms()
    {
        RunShell("sh");
        _tmux.Line("read -s -p 'secret: ' x; echo; echo \"got=$x\"");
        _tmux.Expect("\nsecret:");
        _tmux.Line("hidden");
        Assert.DoesNotContain("secret: hidden", _tmux.Expect("\ngot=hidden"), StringComparison.Ordinal);

        _tmux.Line("stty raw -echo; echo begun; head -c 2 | od -An -tx1; stty sane");
        _tmux.Expect("\nbegun");
        _tmux.Key("C-c");
        _tmux.Key("C-z"); // in raw mode they are characters
        _tmux.Expect(" 03 1a");

        _tmux.Line("vi /tmp/written");
        _tmux.Expect("- /tmp/written");
        _tmux.Type("iby vi");
        _tmux.Expect("I /tmp/written");
        _tmux.Key("Escape");
        _tmux.Expect("- /tmp/written");
        _tmux.Line(":wq");
        _tmux.ExpectLast("in$");
        Ask("echo \"=$(cat /tmp/written)=\"", "\n=by vi=");
    }

    [Fact]
    public void Exec_HasATerminalOfItsOwn()
    {
        _daemon.Must("run", "-dit", "--name", Name, "--runtime=runsc", "--network=none", "busybox", "sh");
        _tmux.Line($"docker exec -it -e 'PS1=in$ ' {Name} sh");
        _tmux.ExpectLast("in$");
        AwaitSize();
        string screen = Ask("tty; tty < /proc/1/fd/0; stty size; echo 'en''d'", "\nend");
        Assert.Contains("\n/dev/pts/1\n/dev/pts/0\n24 80\nend", screen, StringComparison.Ordinal);
        CheckInterrupt();
        CheckSuspend();
        _tmux.Resize(100, 30);
        Ask("while [ \"$(stty size)\" != '30 100' ]; do sleep 0.1; done; stty size", "\n30 100");
        _tmux.Line("exit 6");
        ExpectStatus(6);
        Assert.Equal("true", _daemon.Must("inspect", "-f", "{{.State.Running}}", Name));
    }

    [Fact]
    public void Detach_LeavesTheContainer_AndAttachGivesItBack()
    {
        RunShell("sh");
        Ask("here=still-known; echo s''et", "\nset");
        Detach();
        Assert.Equal("true", _daemon.Must("inspect", "-f", "{{.State.Running}}", Name));

        _tmux.Resize(90, 20);
        _tmux.Line($"docker attach {Name}");
        _tmux.ExpectLast("in$"); // docker changes the size twice, for the prompt to be drawn again
        Ask("echo \"=$here=\"", "\n=still-known=");
        CheckInterrupt();
        Ask("while [ \"$(stty size)\" != '20 90' ]; do sleep 0.1; done; stty size", "\n20 90");
        Detach();

        _tmux.Line($"docker attach {Name}");
        _tmux.ExpectLast("in$");
        _tmux.Key("C-d");
        ExpectStatus(0);
    }

    [Fact]
    public void Stop_EndsTheUsersCommandToo()
    {
        RunShell("sh");
        _tmux.Line("echo wait''ing; exec sleep 1000");
        _tmux.Expect("waiting");
        _daemon.Must("stop", "-t", "0", Name);
        ExpectStatus(137);
    }

    private void RunShell(string shell)
    {
        string options = shell == "bash" ? Bash : "";
        string arguments = shell == "bash" ? "--norc --noprofile" : "";
        _tmux.Line($"docker run -it --name {Name} --runtime=runsc --network=none -e 'PS1=in$ ' {options} busybox {shell} {arguments}");
        _tmux.ExpectLast("in$");
    }

    /// <summary>Waits for the first size: docker sets it a moment after the start.</summary>
    private void AwaitSize()
    {
        Ask("while [ \"$(stty size)\" = '0 0' ]; do sleep 0.1; done; echo siz''ed", "sized");
    }

    private void CheckInterrupt()
    {
        _tmux.Line("sh -c 'echo sleep''ing; exec sleep 1000'");
        _tmux.Expect("sleeping");
        _tmux.Key("C-c");
        _tmux.ExpectLast("in$");
        Ask("echo interrupted=$?", "interrupted=130");
    }

    private void CheckSuspend()
    {
        _tmux.Line("sh -c 'trap \"echo contin\\\"\\\"ued\" CONT; echo wait\"\"ing; while :; do read x && echo \"<$x>\"; done'");
        _tmux.Expect("waiting");
        _tmux.Line("first");
        _tmux.Expect("\n<first>");
        _tmux.Key("C-z");
        _tmux.Expect("Stopped");
        _tmux.ExpectLast("in$");
        Ask("jobs > /tmp/jobs; echo stop''ped=$(grep -c Stopped /tmp/jobs)", "stopped=1");
        _tmux.Line("fg");
        _tmux.Expect("continued"); // what is typed before the terminal is the job's is typed for the shell
        _tmux.Line("second");
        _tmux.Expect("\n<second>");
        _tmux.Key("C-c");
        _tmux.ExpectLast("in$");
    }

    private void CheckResize()
    {
        // A sleep would be a foreground job of its own, and be told instead of the shell; in a trap within read -t, bash ends what reads as well when the time is up.
        _tmux.Line("trap told=yes WINCH; echo watch''ing; while :; do [ $told ] && told= && echo winch=$(stty size); read -t 1 x; done");
        _tmux.Expect("watching");
        _tmux.Resize(100, 30);
        _tmux.Expect("winch=30 100");
        _tmux.Resize(70, 20);
        _tmux.Expect("winch=20 70");
        _tmux.Key("C-c");
        _tmux.ExpectLast("in$");
        Ask("stty size; trap - WINCH; echo rest''ored", "\n20 70\nrestored");
    }

    private void Detach()
    {
        _tmux.Clear();
        _tmux.Key("C-p");
        _tmux.Key("C-q");
        _tmux.Expect("host$"); // where the cursor was
        _tmux.Line("");
        _tmux.ExpectLast("host$");
    }

    private string Ask(string line, string answer)
    {
        _tmux.Line(line);
        string screen = _tmux.Expect(answer);
        _tmux.ExpectLast("in$");
        return screen;
    }

    private void ExpectStatus(int status)
    {
        _tmux.ExpectLast("host$");
        _tmux.Line("echo sta''tus=$?");
        _tmux.Expect(string.Create(CultureInfo.InvariantCulture, $"\nstatus={status}\n"));
    }
}
