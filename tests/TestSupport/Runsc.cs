using System.Diagnostics;

namespace Moat.TestSupport;

/// <summary>Runs the published executable, and commands of the host.</summary>
public static class Runsc
{
    /// <summary>The folder of the solution.</summary>
    public static string Repository { get; } = FindRepository();

    /// <summary>artifacts/runsc.</summary>
    public static string Executable { get; } = Path.Combine(Repository, "artifacts", "runsc");

    /// <summary>The platforms it has.</summary>
    public static IReadOnlyList<string> Platforms { get; } = ["ptrace", "systrap"];

    /// <summary>Runs a command in a sandbox, on the platform that the variable PLATFORM names or the default one.</summary>
    public static CommandResult Do(params string[] command) =>
        Environment.GetEnvironmentVariable("PLATFORM") is { Length: > 0 } platform ? DoOn(platform, command) : Execute([Executable, "do", .. command]);

    /// <summary>Runs a command in a sandbox on a platform.</summary>
    public static CommandResult DoOn(string platform, params string[] command) => Execute([Executable, $"--platform={platform}", "do", .. command]);

    /// <summary>Runs a command on the host.</summary>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="input">What it reads.</param>
    /// <param name="timeoutSeconds">After that it is killed, with its children, and the test fails.</param>
    /// <param name="environment">Variables besides those of the tests.</param>
    public static CommandResult Execute(IReadOnlyList<string> command, string? input = null, int timeoutSeconds = 20, IReadOnlyDictionary<string, string>? environment = null)
    {
        ArgumentNullException.ThrowIfNull(command);
        ProcessStartInfo start = new(command[0]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (string argument in command.Skip(1))
        {
            start.ArgumentList.Add(argument);
        }

        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        process.StandardInput.Write(input ?? "");
        process.StandardInput.Close();
        if (!process.WaitForExit(timeoutSeconds * 1000))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{string.Join(' ', command)} did not end; output: {output.Result}; errors: {error.Result}");
        }

        return new CommandResult(process.ExitCode, output.Result, error.Result);
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
