namespace Moat.Sandbox.Tests;

/// <summary>A sandbox on a user's terminal, as the user sees it.</summary>
public sealed class TerminalTests : IDisposable
{
    private readonly TmuxSession _tmux = new();

    [Fact]
    public void Shell_HasARealControllingTerminal()
    {
        StartShell();
        _tmux.Line("tty; ps -o tty,pgid,tpgid -p $$ | tail -1; echo \"[$(stty size)]\" $(test -t 0 && echo terminal)");
        string screen = _tmux.Expect("80] terminal");
        Assert.Contains("/dev/pts/0\n", screen, StringComparison.Ordinal);
        Assert.Contains("[24 80] terminal", screen, StringComparison.Ordinal);
        Assert.DoesNotContain("no job control", screen, StringComparison.Ordinal);
    }

    [Fact]
    public void Interrupt_EndsTheForegroundJobAlone()
    {
        StartShell();
        _tmux.Line("sh -c 'echo begun; exec sleep 1000'");
        _tmux.Expect("\nbegun"); // before this the terminal may still be the shell's, which ignores an interrupt
        _tmux.Key("C-c");
        _tmux.ExpectLast("in$");
        _tmux.Line("echo status=$?");
        _tmux.Expect("status=130");
    }

    [Fact]
    public void Suspend_StopsAJob_AndForegroundContinuesIt()
    {
        StartShell();
        _tmux.Line("sh -c 'echo begun; exec cat'");
        _tmux.Expect("\nbegun");
        _tmux.Key("C-z");
        _tmux.Expect("Stopped");
        _tmux.ExpectLast("in$");
        _tmux.Line("jobs");
        _tmux.ExpectLast("in$");
        _tmux.Line("fg");
        _tmux.Expect("fg\nsh -c");
        _tmux.Line("hello again");
        _tmux.Expect("hello again\nhello again");
        _tmux.Key("C-d");
        _tmux.ExpectLast("in$");
        _tmux.Line("sleep 1000 & bg 2>&1; kill %1; wait; echo ended");
        _tmux.Expect("\nended");
    }

    [Fact]
    public void Resize_IsSeenAndTold()
    {
        StartShell();
        _tmux.Line("trap told=yes WINCH"); // nothing that reads: within read -t bash ends that, too, when the time is up
        _tmux.Line("echo ready; until [ $told ]; do read -t 0.1; done; echo winch=$(stty size)");
        _tmux.Expect("\nready");
        _tmux.Resize(100, 30);
        _tmux.Expect("winch=30 100");
    }

    [Fact]
    public void Echo_CanBeSwitchedOff()
    {
        StartShell();
        _tmux.Line("read -s -p secret: x; echo; echo got=$x");
        _tmux.Expect("\nsecret:");
        _tmux.Line("hidden");
        string screen = _tmux.Expect("got=hidden");
        Assert.DoesNotContain("secret:hidden", screen, StringComparison.Ordinal);
    }

    [Fact]
    public void EndOfFile_EndsTheShell()
    {
        StartShell();
        _tmux.Key("C-d");
        _tmux.ExpectLast("host$");
    }

    [Fact]
    public void Settings_AreRestoredAtTheEnd()
    {
        _tmux.Line("stty -a > /tmp/moat-stty.$$");
        _tmux.Line($"{Runsc.Executable} do sh -c 'stty raw -echo; exit 3'; echo status=$?");
        _tmux.Expect("status=3");
        _tmux.Line("stty -a | diff - /tmp/moat-stty.$$ && echo same; rm /tmp/moat-stty.$$");
        _tmux.Expect("\nsame");
    }

    [Fact]
    public void Suspend_OfTheSandboxItself_IsAJobOfTheUsersShell()
    {
        _tmux.Line($"{Runsc.Executable} do sh -c 'echo begun; sleep 5; echo finished'");
        _tmux.Expect("\nbegun");
        _tmux.Key("C-z");
        _tmux.Expect("Stopped");
        _tmux.Expect("\nhost$");
        _tmux.Line("fg");
        _tmux.Expect("\nfinished");
    }

    [Fact]
    public void BlockingMode_OfTheUsersTerminal_IsLeftAlone()
    {
        _tmux.Line($"({Runsc.Executable} do sh -c 'sleep 1'; echo over) & sleep 0.5; grep flags /proc/self/fdinfo/0; wait");
        string screen = _tmux.Expect("\nover");
        Assert.Matches("flags:\\s+0[0-9]*2\n", screen);
        Assert.DoesNotMatch("flags:\\s+0[0-9]*4[0-9]{3}\n", screen);
    }

    [Fact]
    public void TmuxInside_Works()
    {
        StartShell();
        _tmux.Line("tmux -L inner -f /dev/null new-session 'echo inner $((40 + 2)); sleep 1000'");
        _tmux.Expect("inner 42");
        _tmux.Key("C-b");
        _tmux.Key("d");
        _tmux.Expect("[detached");
        _tmux.Line("tmux -L inner kill-server; echo done");
        _tmux.Expect("\ndone");
    }

    [Fact]
    public void Python_EditsLines()
    {
        StartShell();
        _tmux.Line("python3 -q");
        _tmux.Expect(">>>");
        _tmux.Type("print(6*8");
        _tmux.Key("BSpace");
        _tmux.Line("7)");
        _tmux.Expect("\n42");
    }

    [Fact]
    public void Interrupt_EndsACommandThatIsTheFirstProcess()
    {
        _tmux.Line($"{Runsc.Executable} do sh -c 'echo begun; exec sleep 1000'");
        _tmux.Expect("\nbegun");
        _tmux.Key("C-c");
        _tmux.Expect("^Chost$");
        _tmux.Line("jobs; echo nothing left");
        _tmux.Expect("\nnothing left");
    }

    public void Dispose() => _tmux.Dispose();

    private void StartShell()
    {
        _tmux.Line($"PS1='in$ ' {Runsc.Executable} do bash --norc --noprofile");
        _tmux.ExpectLast("in$");
    }
}
