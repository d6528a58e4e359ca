namespace Moat.Applications.Tests;

/// <summary>Runs commands in the Debian root, under Moat and under runc (tools/in-debian).</summary>
internal static class DebianRoot
{
    /// <summary>The folder that commands see at /share.</summary>
    public static string Share { get; } = Path.Combine(Runsc.Repository, "tests", "Applications.Tests");

    /// <summary>Runs a command in a container of its own.</summary>
    /// <param name="runtime">runsc or runc.</param>
    /// <param name="timeoutSeconds">The longest it may take.</param>
    /// <param name="command">The command.</param>
    public static CommandResult Execute(string runtime, int timeoutSeconds, params string[] command) => Execute(runtime, timeoutSeconds, hasAllCapabilities: false, command);

    /// <summary>Runs a command in a container of its own, with the capabilities that containers usually have, or with all.</summary>
    public static CommandResult Execute(string runtime, int timeoutSeconds, bool hasAllCapabilities, params string[] command) => ExecuteWith(Share, runtime, timeoutSeconds, hasAllCapabilities, command);

    /// <summary>As above, with another folder at /share.</summary>
    public static CommandResult ExecuteWith(string share, string runtime, int timeoutSeconds, bool hasAllCapabilities, params string[] command) =>
        Runsc.Execute(
            [Path.Combine(Runsc.Repository, "tools", "in-debian"), runtime, .. command], timeoutSeconds: timeoutSeconds, environment: new Dictionary<string, string> { ["RUNSC"] = Runsc.Executable, ["SHARE"] = share, ["CAPS"] = hasAllCapabilities ? "all" : "" });
}
