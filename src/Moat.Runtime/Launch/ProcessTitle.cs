namespace Moat.Runtime.Launch;

/// <summary>The command lines of the host's processes that stand for processes of containers. What runs in the sandbox is behind what they need, for ps(1) and with it <c>docker top</c>: nothing reads it.</summary>
internal static class ProcessTitle
{
    private const int MaxCharacters = 4096;

    /// <summary>A command line with what it stands for, as far as that is not too long.</summary>
    public static IReadOnlyList<string> With(IReadOnlyList<string> command, IReadOnlyList<string> program)
    {
        List<string> all = [.. command];
        int room = MaxCharacters;
        foreach (string argument in program)
        {
            room -= argument.Length + 1;
            if (room < 0)
            {
                all.Add("...");
                break;
            }

            all.Add(argument);
        }

        return all;
    }
}
