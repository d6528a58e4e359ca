using Moat.Host;
using Moat.Host.Terminals;
using Moat.Linux;

namespace Moat.Runtime.Launch;

/// <summary>Standard input, output and error of a container's process.</summary>
/// <param name="Input">Descriptor 0; -1 for none, here and below.</param>
/// <param name="Output">Descriptor 1.</param>
/// <param name="Error">Descriptor 2.</param>
/// <param name="IsOwnTerminal">Whether they are a terminal that belongs to the container alone, to be made its controlling terminal.</param>
public readonly record struct SandboxStreams(int Input, int Output, int Error, bool IsOwnTerminal)
{
    /// <summary>The streams of the command itself, as far as it was given some.</summary>
    public static SandboxStreams Inherited => new(Own(0), Own(1), Own(2), false);

    // What has the number of a stream that was closed is not for the sandbox.
    private static int Own(int fd) => HostFile.IsInherited(fd) ? fd : -1;

    /// <summary>At a program's start: gives the numbers of streams that it was not given to /dev/null, so that nothing else it opens gets them.</summary>
    public static void ReserveNumbers()
    {
        for (int fd = 0; fd <= 2; fd++)
        {
            if (!HostFile.GetStatusFlags(fd).IsOk)
            {
                HostPath.OpenFile("/dev/null", OpenFlags.O_RDWR); // gets the lowest number, and is close-on-exec
            }
        }
    }

    /// <summary>Lets go of input and output that now are the sandbox's, so that who is at their other end sees when the sandbox closes them. Terminals stay.</summary>
    internal static void LetGo()
    {
        for (int fd = 0; fd <= 1; fd++)
        {
            if (!PseudoTerminal.IsTerminal(fd))
            {
                HostFile.ReplaceByNull(fd);
            }
        }
    }
}
