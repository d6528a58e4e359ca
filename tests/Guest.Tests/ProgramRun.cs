using System.Diagnostics;
using System.Text;

namespace Moat.Guest.Tests;

/// <summary>What one run of a guest program printed: a line for each case, and how the program ended.</summary>
internal sealed class ProgramRun
{
    private readonly Dictionary<string, string> _outcomes = [];
    private readonly List<string> _cases = [];

    private ProgramRun(string ending, string errors)
    {
        Ending = ending;
        Errors = errors;
    }

    /// <summary>The cases, in the order they ran in.</summary>
    public IReadOnlyList<string> Cases => _cases;

    /// <summary>"exit status N", or that it ran out of time.</summary>
    public string Ending { get; }

    /// <summary>What it wrote to its standard error.</summary>
    public string Errors { get; }

    /// <summary>The outcome of a case, "ok" or "FAILED: why"; null if the program never came to it.</summary>
    public string? OutcomeOf(string name) => _outcomes.GetValueOrDefault(name);

    /// <summary>Runs a command; one that has not ended after the limit is killed with all its descendants.</summary>
    public static ProgramRun Of(string[] command, TimeSpan limit)
    {
        ProcessStartInfo start = new(command[0]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in command.Skip(1))
        {
            start.ArgumentList.Add(argument);
        }

        using Process process = new() { StartInfo = start };
        StringBuilder output = new();
        StringBuilder errors = new();
        process.OutputDataReceived += (_, line) => Append(output, line.Data);
        process.ErrorDataReceived += (_, line) => Append(errors, line.Data);
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        bool ended = process.WaitForExit(limit);
        if (!ended)
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit(TimeSpan.FromSeconds(10));
        }
        else
        {
            process.WaitForExit(); // until its output has been read too
        }

        ProgramRun run = new(ended ? $"exit status {process.ExitCode}" : $"no end within {limit.TotalSeconds} s", Text(errors));
        run.Parse(Text(output));
        return run;
    }

    // "family/case ok" or "family/case FAILED: why".
    private void Parse(string output)
    {
        foreach (string line in output.Split('\n'))
        {
            int slash = line.IndexOf('/', StringComparison.Ordinal);
            int space = line.IndexOf(' ', StringComparison.Ordinal);
            if (slash > 0 && slash < space)
            {
                string name = line[(slash + 1)..space];
                if (!_outcomes.ContainsKey(name))
                {
                    _cases.Add(name);
                }

                // A second line for a case tells of its cleaning up and counts.
                _outcomes[name] = line[(space + 1)..];
            }
        }
    }

    private static void Append(StringBuilder text, string? line)
    {
        if (line is not null)
        {
            lock (text)
            {
                text.Append(line).Append('\n');
            }
        }
    }

    private static string Text(StringBuilder text)
    {
        lock (text)
        {
            return text.ToString();
        }
    }
}
