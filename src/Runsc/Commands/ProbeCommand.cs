using System.Text;
using Moat.Gofer;
using Moat.Host;
using Moat.Host.Seccomp;
using Moat.Linux;
using Moat.Runtime;
using Moat.Sentry;
using Runsc.Flags;

namespace Runsc.Commands;

/// <summary><c>probe</c>: puts the filter of a role on this process and tries it. Internal, for tests: the filters are those of this executable and its runtime.</summary>
internal sealed class ProbeCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "probe";

    /// <inheritdoc/>
    public string Usage => "sentry|gofer calls|execute|runtime|crash";

    /// <inheritdoc/>
    public string Summary => "";

    /// <inheritdoc/>
    public IReadOnlyList<FlagDefinition> Flags => [];

    /// <inheritdoc/>
    public int Run(CommandContext context, FlagSet flags)
    {
        if (flags.Arguments.Count != 2)
        {
            throw new RuntimeException($"probe: usage: {Usage}");
        }

        Errno errno = flags.Arguments[0] == "gofer" ? GoferProbe.Confine() : SentryProbe.Confine();
        if (errno != Errno.None)
        {
            throw new RuntimeException($"probe: seccomp: {errno}");
        }

        switch (flags.Arguments[1])
        {
            case "calls":
                ForbiddenCalls.TryAll((name, result) => Print($"{name}: {result}\n"));
                break;
            case "execute":
                Print($"execveat: {ForbiddenCalls.Execute()}\n");
                break;
            case "runtime":
                Print($"{SentryProbe.ExerciseRuntime() ?? "ok"}\n");
                break;
            case "crash":
                new Thread(static () => throw new ArgumentException("a bug that nobody catches")).Start();
                Thread.Sleep(Timeout.Infinite);
                break;
            default:
                throw new RuntimeException($"probe: usage: {Usage}");
        }

        return 0;
    }

    // The console of the base library asks for more than a filter allows.
    private static void Print(string text) => HostFile.Write(1, Encoding.UTF8.GetBytes(text));
}
