"""The demonstration: a region that does not exist, and Opora's main job done on it as a user would.

`region` and `results` make synthetic data of any size from a seed number; `client` speaks HTTP to the
gateway and nothing else; `story` does the job and tells it in Russian. Nothing here is imported by a
service, and nothing of a service is imported here except the published scales, which are data.
"""
