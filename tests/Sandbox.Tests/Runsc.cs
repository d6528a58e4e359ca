using System.Diagnostics;

namespace Moat.Sandbox.Tests;

/// <summary>Runs the published executable, and commands of the host.</summary>
internal static class Runsc
{
    private const int TimeoutMs = 20_000;

    /// <summary>artifacts/runsc.</summary>
    public static string Executable { get; } = Path.Combine(FindRoot(), "artifacts", "runsc");

    /// <summary>Runs a command in a sandbox.</summary>
    public static CommandResult Do(params string[] command) => Execute([Executable, "do", .. command]);

    /// <summary>Runs a command on the host.</summary>
    public static CommandResult Execute(string[] command, string? input = null)
    {
        ProcessStartInfo start = new(command[0]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (string argument in command.Skip(1))
        {
            start.ArgumentList.Add(argument);
        }

        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        process.StandardInput.Write(input ?? "");
        process.StandardInput.Close();
        if (!process.WaitForExit(TimeoutMs))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{string.Join(' ', command)} did not end; output: {output.Result}; errors: {error.Result}");
        }

        return new CommandResult(process.ExitCode, output.Result, error.Result);
    }

    private static string FindRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Moat.slnx")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("no Moat.slnx above the tests");
    }
}
