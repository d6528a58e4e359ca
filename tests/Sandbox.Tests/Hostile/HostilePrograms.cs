namespace Moat.Sandbox.Tests.Hostile;

/// <summary>The hostile guests, compiled: not for the host itself.</summary>
public sealed class HostilePrograms : IDisposable
{
    private readonly string _folder = TestRun.MakeSeenFolder("hostile");

    public HostilePrograms()
    {
        foreach (string name in (string[])["hostile", "randomcalls"])
        {
            string source = Path.Combine(Runsc.Repository, "tests", "Sandbox.Tests", "Hostile", $"{name}.c");
            CommandResult compiled = Runsc.Execute(["gcc", "-O1", "-Wall", "-Werror", "-static", "-pthread", "-o", Path.Combine(_folder, name), source]);
            Assert.True(compiled.ExitCode == 0, compiled.Error);
        }
    }

    /// <summary>Runs one in a sandbox without a network.</summary>
    public CommandResult Run(string platform, int timeoutSeconds, string name, params string[] arguments) =>
        Runsc.Execute([Runsc.Binary, $"--platform={platform}", "--network=none", "do", Path.Combine(_folder, name), .. arguments], timeoutSeconds: timeoutSeconds);

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
