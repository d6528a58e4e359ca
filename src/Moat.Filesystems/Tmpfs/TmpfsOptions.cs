using System.Globalization;
using Moat.Linux;

namespace Moat.Filesystems.Tmpfs;

/// <summary>Mount options of tmpfs.</summary>
public sealed record TmpfsOptions
{
    /// <summary>size=</summary>
    public ulong SizeBytes { get; init; } = ulong.MaxValue;

    /// <summary>nr_inodes=</summary>
    public long MaxInodes { get; init; } = 4_000_000;

    /// <summary>mode=</summary>
    public Mode RootMode { get; init; } = (Mode)0x3FF; // 1777

    /// <summary>uid=</summary>
    public uint Uid { get; init; }

    /// <summary>gid=</summary>
    public uint Gid { get; init; }

    /// <summary>What /proc/mounts calls it.</summary>
    public string TypeName { get; init; } = "tmpfs";

    /// <summary>Reads options as mount(2) takes them.</summary>
    /// <param name="text">Options with commas between.</param>
    /// <param name="memoryBytes">The sandbox's memory: what a percentage is of; half of it is the size where none is given.</param>
    /// <returns>EINVAL for an unknown option or a bad value.</returns>
    public static Result<TmpfsOptions> Parse(string text, ulong memoryBytes)
    {
        TmpfsOptions options = new() { SizeBytes = memoryBytes / 2 };
        foreach (string option in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = option.IndexOf('=');
            string name = equals < 0 ? option : option[..equals];
            string value = equals < 0 ? "" : option[(equals + 1)..];
            Result<TmpfsOptions> next = name switch
            {
                "size" => ParseSize(value, memoryBytes).TryGet(out ulong size, out Errno errno) ? options with { SizeBytes = size == 0 ? ulong.MaxValue : size } : errno,
                "nr_blocks" => ParseSize(value, 0).TryGet(out ulong blocks, out Errno errno) && blocks < ulong.MaxValue / 4096 ? options with { SizeBytes = blocks == 0 ? ulong.MaxValue : blocks * 4096 } : Errno.EINVAL,
                "nr_inodes" => ParseSize(value, 0).TryGet(out ulong inodes, out Errno errno) ? options with { MaxInodes = inodes == 0 ? long.MaxValue / 2 : (long)Math.Min(inodes, long.MaxValue / 2) } : errno,
                "mode" => ParseMode(value).TryGet(out Mode mode, out Errno errno) ? options with { RootMode = mode } : errno,
                "uid" => uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out uint uid) ? options with { Uid = uid } : Errno.EINVAL,
                "gid" => uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out uint gid) ? options with { Gid = gid } : Errno.EINVAL,
                "inode32" or "inode64" or "noswap" => options,
                _ => Errno.EINVAL,
            };
            if (!next.TryGet(out TmpfsOptions? changed, out Errno failure))
            {
                return failure;
            }

            options = changed;
        }

        return options;
    }

    // 65536k, 1g, 50% (tmpfs(5)).
    private static Result<ulong> ParseSize(string text, ulong whole)
    {
        int shift = text.Length == 0 ? 0 : char.ToLowerInvariant(text[^1]) switch { 'k' => 10, 'm' => 20, 'g' => 30, 't' => 40, _ => 0 };
        bool isPercentage = whole > 0 && text.EndsWith('%');
        ReadOnlySpan<char> digits = shift > 0 || isPercentage ? text.AsSpan(0, text.Length - 1) : text;
        if (!ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) || number > ulong.MaxValue >> shift)
        {
            return Errno.EINVAL;
        }

        return isPercentage ? number > 1000 ? Errno.EINVAL : whole / 100 * number : number << shift;
    }

    private static Result<Mode> ParseMode(string text)
    {
        uint mode = 0;
        foreach (char digit in text)
        {
            if (digit is < '0' or > '7' || mode > (uint)Mode.PermissionMask)
            {
                return Errno.EINVAL;
            }

            mode = (mode * 8) + (uint)(digit - '0');
        }

        return text.Length == 0 ? Errno.EINVAL : (Mode)mode & Mode.PermissionMask;
    }
}
