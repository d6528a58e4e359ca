namespace Moat.Applications.Tests;

/// <summary>Debian's programs do in the sandbox what they do on Linux: each script in Scripts runs under runc and under Moat, and prints the same.</summary>
public sealed class ScriptTests
{
    private const int NativeSeconds = 120;
    private const int SandboxSeconds = 400;

    public static TheoryData<string> Scripts =>
        [.. Directory.GetFiles(Path.Combine(DebianRoot.Share, "Scripts")).Select(static file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Scripts))]
    public void Script_PrintsTheSameAsOnLinux(string script)
    {
        string interpreter = script.EndsWith(".py", StringComparison.Ordinal) ? "/usr/bin/python3" : "/bin/bash";
        bool isAdmin = File.ReadLines(Path.Combine(DebianRoot.Share, "Scripts", script)).First().StartsWith("# Needs CAP_", StringComparison.Ordinal);
        CommandResult native = DebianRoot.Execute("runc", NativeSeconds, isAdmin, interpreter, "/share/Scripts/" + script);
        Assert.True(native.ExitCode == 0 && native.Output.Length > 0, $"the script fails on Linux: {native}");
        CommandResult sandboxed = DebianRoot.Execute("runsc", SandboxSeconds, isAdmin, interpreter, "/share/Scripts/" + script);
        Assert.True(
            (native.ExitCode, native.Output) == (sandboxed.ExitCode, sandboxed.Output), $"exit code {sandboxed.ExitCode}\n{Difference(native.Output, sandboxed.Output)}errors: {sandboxed.Error}");
    }

    private static string Difference(string expected, string actual)
    {
        string[] on = expected.Split('\n');
        string[] inside = actual.Split('\n');
        IEnumerable<string> lines = Enumerable.Range(0, Math.Max(on.Length, inside.Length))
            .Where(i => on.ElementAtOrDefault(i) != inside.ElementAtOrDefault(i))
            .Take(10)
            .Select(i => $"line {i + 1}\n  on Linux:       {on.ElementAtOrDefault(i)}\n  in the sandbox: {inside.ElementAtOrDefault(i)}\n");
        return string.Concat(lines);
    }
}
