using System.Diagnostics;
using System.Globalization;

namespace Moat.TestSupport;

/// <summary>A shell of the host in a terminal that a tmux server of its own emulates: what a user sees and types.</summary>
public sealed class TmuxSession : IDisposable
{
    private readonly string _socket = TestRun.NewName("tmux");

    /// <summary>Starts a shell with the prompt <c>host$</c> in 80 columns and 24 rows.</summary>
    public TmuxSession()
    {
        AppDomain.CurrentDomain.ProcessExit += OnExit;
        try
        {
            Tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "env", "PS1=host$ ", "bash", "--norc", "--noprofile");
            Expect("host$");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Types text as it is.</summary>
    public void Type(string text) => Tmux("send-keys", "-l", text);

    /// <summary>Types a line.</summary>
    public void Line(string text)
    {
        Type(text);
        Key("Enter");
    }

    /// <summary>Presses a key by tmux's name, such as <c>C-c</c>.</summary>
    public void Key(string name) => Tmux("send-keys", name);

    /// <summary>Changes the terminal's size.</summary>
    public void Resize(int columns, int rows) =>
        Tmux("resize-window", "-x", columns.ToString(CultureInfo.InvariantCulture), "-y", rows.ToString(CultureInfo.InvariantCulture));

    /// <summary>Waits until the screen shows a text.</summary>
    public string Expect(string text) => Await(screen => screen.Contains(text, StringComparison.Ordinal), text);

    /// <summary>Waits until the last line that is not empty is this.</summary>
    public string ExpectLast(string text) => Await(screen => screen.TrimEnd().Split('\n')[^1].TrimEnd() == text, $"a last line {text}");

    /// <summary>What the screen shows.</summary>
    public string Screen() => Tmux("capture-pane", "-p");

    /// <summary>Empties the screen, from the shell's prompt.</summary>
    public void Clear()
    {
        Tmux("send-keys", "-R");
        Tmux("clear-history");
    }

    /// <summary>Ends the server, and with a hangup what runs in the terminal.</summary>
    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        Tmux("kill-server");
    }

    private void OnExit(object? sender, EventArgs e) => Dispose();

    private string Await(Func<string, bool> holds, string what)
    {
        string screen = "";
        Patience.Await(() => holds(screen = Screen()), () => $"\"{what}\" on the screen:\n{screen}");
        return screen;
    }

    private string Tmux(params string[] arguments)
    {
        ProcessStartInfo start = new("tmux") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])["-L", _socket, .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output;
    }
}
