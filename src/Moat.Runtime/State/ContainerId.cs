namespace Moat.Runtime.State;

/// <summary>Names of containers: they become names of directories and cgroups.</summary>
public static class ContainerId
{
    private const int MaxLength = 255;

    /// <summary>Says what is wrong with a name, or null.</summary>
    public static string? Validate(string id)
    {
        if (id.Length is 0 or > MaxLength || id is "." or "..")
        {
            return $"invalid container ID \"{id}\"";
        }

        foreach (char c in id)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '+' or '-' or '.'))
            {
                return $"invalid container ID \"{id}\": only letters, digits and _ + - . are allowed";
            }
        }

        return null;
    }
}
