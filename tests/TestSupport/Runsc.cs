using System.Diagnostics;

namespace Moat.TestSupport;

/// <summary>Runs the published executable, and commands of the host.</summary>
public static class Runsc
{
    private static readonly TimeSpan s_lastWords = TimeSpan.FromSeconds(5);

    /// <summary>The folder of the solution.</summary>
    public static string Repository { get; } = FindRepository();

    /// <summary>The platform that the variable MOAT_PLATFORM chooses for tests that name none; null for the default one.</summary>
    public static string? Platform { get; } = Environment.GetEnvironmentVariable("MOAT_PLATFORM") is { Length: > 0 } platform ? platform : null;

    /// <summary>The platforms that tests of each platform run on: all there are, or the chosen one.</summary>
    public static IReadOnlyList<string> Platforms { get; } = Platform is null ? ["ptrace", "systrap"] : [Platform];

    /// <summary>artifacts/runsc.</summary>
    public static string Binary { get; } = Path.Combine(Repository, "artifacts", "runsc");

    /// <summary>The flag that puts <see cref="Binary"/> on the chosen platform; none for the default one.</summary>
    public static IReadOnlyList<string> PlatformFlags { get; } = Platform is null ? [] : [$"--platform={Platform}"];

    /// <summary>What tests and engines execute as runsc: artifacts/runsc, or a script beside it that adds <see cref="PlatformFlags"/>. A platform among the arguments comes later, and counts.</summary>
    public static string Executable { get; } = Platform is null ? Binary : MakeScript(Platform);

    /// <summary>Runs a command in a sandbox.</summary>
    public static CommandResult Do(params string[] command) => Execute([Executable, "do", .. command]);

    /// <summary>Runs a command in a sandbox on a platform.</summary>
    public static CommandResult DoOn(string platform, params string[] command) => Execute([Binary, $"--platform={platform}", "do", .. command]);

    /// <summary>Runs a command on the host, until it has ended and nobody holds its output any more.</summary>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="input">What it reads.</param>
    /// <param name="timeoutSeconds">After that it is killed, with its children, and the test fails.</param>
    /// <param name="environment">Variables besides those of the tests.</param>
    public static CommandResult Execute(IReadOnlyList<string> command, string? input = null, int timeoutSeconds = Patience.Seconds, IReadOnlyDictionary<string, string>? environment = null)
    {
        ArgumentNullException.ThrowIfNull(command);
        ProcessStartInfo start = new(command[0]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (string argument in command.Skip(1))
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["MOAT_TEST_RUN"] = TestRun.Name;
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        Stopwatch watch = Stopwatch.StartNew();
        TimeSpan limit = TimeSpan.FromSeconds(timeoutSeconds);
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        Feed(process, input);
        bool hasEnded = process.WaitForExit(limit);
        TimeSpan left = limit - watch.Elapsed;
        if (!hasEnded || !Task.WaitAll([output, error], left > s_lastWords ? left : s_lastWords))
        {
            process.Kill(entireProcessTree: true);
            Task.WaitAll([output, error], s_lastWords);
            string fault = hasEnded ? $"ended with {process.ExitCode}, but not its output" : "did not end";
            throw new TimeoutException($"{string.Join(' ', command)} {fault}; output: {Text(output)}; errors: {Text(error)}");
        }

        return new CommandResult(process.ExitCode, output.Result, error.Result);
    }

    /// <summary>Copies a program. No descriptor that could write the copy is ever this process's own, which its children would inherit for a moment: execve(2) refuses a file that is open for writing.</summary>
    public static void CopyProgram(string from, string to)
    {
        CommandResult result = Execute(["cp", from, to]);
        if (result.ExitCode != 0)
        {
            throw new IOException(result.Error);
        }
    }

    private static void Feed(Process process, string? input)
    {
        try
        {
            process.StandardInput.Write(input ?? "");
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has closed its input, or ended: its status says whether that is well.
        }
    }

    private static string Text(Task<string> stream) => stream.IsCompletedSuccessfully ? stream.Result : "(still open)";

    private static string MakeScript(string platform)
    {
        string script = Path.Combine(Repository, "artifacts", $"on-{platform}", "runsc");
        const string Make = "mkdir -p \"$(dirname \"$0\")\" && printf '#!/bin/sh\\nexec %s --platform=%s \"$@\"\\n' \"$1\" \"$2\" > \"$0.$$\" && chmod 755 \"$0.$$\" && mv \"$0.$$\" \"$0\"";
        CommandResult made = Execute(["/bin/sh", "-c", Make, script, Binary, platform]);
        return made.ExitCode == 0 ? script : throw new InvalidOperationException(made.Error);
    }

    private static string FindRepository()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Moat.slnx")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("no Moat.slnx above the tests");
    }
}
