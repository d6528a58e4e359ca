using Moat.Host.Terminals;

namespace Moat.Runtime.Launch;

/// <summary>Terminals as a sandbox gets them: opened again, since the description that the command inherited has its blocking mode in common with the user's shell.</summary>
internal static class OwnDescription
{
    /// <summary>Opens the terminals among some descriptors again. One that may not be opened is left as it is; the sandbox then asks poll(2) first.</summary>
    /// <param name="descriptors">Descriptors; what is no terminal stays what it is.</param>
    /// <param name="owned">Gets the new ones.</param>
    public static int[] OfTerminals(ReadOnlySpan<int> descriptors, DescriptorSet owned)
    {
        int[] result = descriptors.ToArray();
        for (int i = 0; i < result.Length; i++)
        {
            if (result[i] >= 0 && PseudoTerminal.IsTerminal(result[i]) && HostTerminalSettings.OpenAgain(result[i]).TryGet(out int opened, out _))
            {
                owned.Add(opened);
                result[i] = opened;
            }
        }

        return result;
    }
}
